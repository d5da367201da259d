import { refusal } from '../broken/message.ts';
import { digestOf } from '../domain/digest.ts';
import { type Defect, on, type SelftestCase, type Stage, type Turn, withFields } from './case.ts';

const CREDENTIALS = { Authorization: 'Basic c2VsZnRlc3Q6c2VsZnRlc3Q=' };

const isStorage = ({ request, elsewhere }: Turn) => request.headers.host === new URL(elsewhere).host;

/** Blobs live in a storage of another origin, which answers in its own way. */
const redirecting =
  (storage: Defect): Defect =>
  (turn) => {
    const { request, normally, elsewhere } = turn;
    if (!request.path.includes('/blobs/')) return normally();
    return isStorage(turn) ? storage(turn) : { status: 307, headers: { Location: `${elsewhere}${request.path}` } };
  };

/** Storage that has signed the URL refuses a second way to authenticate. */
const refusingCredentials = redirecting(({ request, normally }) =>
  request.headers.authorization === undefined ? normally() : { status: 400 },
);

const ask = (stage: Stage, method: string, headers: Record<string, string>, bytes = stage.content.blob) =>
  stage.send(method, `${stage.base}/blobs/${digestOf(bytes)}`, { headers });

/** Blobs: parts, redirects to storage, and what is no blob. */
export const BLOB_CASES: readonly SelftestCase[] = [
  {
    id: 'redirect-auth-leak-400',
    registry: refusingCredentials,
    works: async (stage) => {
      const answer = await ask(stage, 'GET', CREDENTIALS);
      return answer.status === 200 && answer.body.equals(stage.content.blob);
    },
  },
  {
    id: 'credential-leakage',
    registry: refusingCredentials,
    works: async (stage) => (await ask(stage, 'GET', CREDENTIALS)).status < 400,
  },
  {
    id: 'head-presigned-403',
    isSilent: true,
    registry: redirecting(({ request, normally }) => (request.method === 'HEAD' ? { status: 403 } : normally())),
    works: async (stage) => {
      const answer = await ask(stage, 'HEAD', {});
      return answer.status === 200 && answer.header('Content-Length') === String(stage.content.blob.length);
    },
  },
  {
    id: 'range-ignored',
    works: async (stage) => (await ask(stage, 'GET', { Range: 'bytes=1-3' })).status === 206,
  },
  {
    id: 'blobs-endpoint-serves-manifest',
    isSilent: true,
    registry: ({ request, content, normally }) => {
      const isManifest = request.path.endsWith(`/blobs/${digestOf(content.index)}`);
      const answer = normally(
        isManifest ? { ...request, path: request.path.replace('/blobs/', '/manifests/') } : request,
      );
      return isManifest ? withFields(answer, { 'Content-Type': 'application/octet-stream' }) : answer;
    },
    works: async (stage) => (await ask(stage, 'GET', {}, stage.content.index)).status === 404,
  },
  {
    id: 'unreachable-redirect-or-location',
    isSilent: true,
    registry: on('GET', '/tags/list', (answer, { request }) => {
      const location = `http://${request.headers.host}${request.path}?page=1`;
      return request.query.has('page')
        ? answer
        : { ...refusal(301, 'UNSUPPORTED', 'moved'), headers: { Location: location } };
    }),
    works: async ({ send, base }) => (await send('GET', `${base}/tags/list`)).status === 200,
  },
];
