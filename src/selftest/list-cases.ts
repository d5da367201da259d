import { refusal } from '../broken/message.ts';
import { digestOf } from '../domain/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../domain/media-type.ts';
import { hasField, on, type SelftestCase, withFields } from './case.ts';

/** Lists of tags, repositories and referrers, and how they are asked for. */
export const LIST_CASES: readonly SelftestCase[] = [
  {
    id: 'encoded-paths',
    works: async ({ send, base }) => (await send('GET', `${base.replace('/v2/', '/v2//')}/tags/list/`)).status === 200,
  },
  {
    id: 'catalog-n-too-large',
    registry: ({ request, normally }) =>
      Number(request.query.get('n') ?? 0) > 1000
        ? refusal(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested', { n: 5000 })
        : normally(),
    works: async ({ send }) => (await send('GET', '/v2/_catalog?n=5000')).status === 200,
  },
  {
    id: 'tags-list-shape',
    registry: on('GET', '/tags/list', (answer, { repository }) => ({
      ...answer,
      body: Buffer.from(JSON.stringify({ name: repository.name, tags: ['b', 'a'] })),
    })),
    works: async ({ send, base }) => (await send('GET', `${base}/tags/list`)).body.includes('["a","b"]'),
  },
  {
    id: 'referrers-misbehaviour',
    registry: on('GET', '/referrers/', () => ({
      status: 200,
      headers: { 'Content-Type': 'text/html' },
      body: Buffer.from('<html>Log in</html>'),
    })),
    works: async ({ send, base, content }) =>
      (await send('GET', `${base}/referrers/${digestOf(content.index)}`)).status === 404,
  },
  {
    id: 'subject-and-referrers-on-push',
    registry: ({ request, normally }) =>
      request.path.includes('/referrers/') ? refusal(404, 'UNSUPPORTED', 'no referrers') : normally(),
    works: async ({ send, base, content }) => {
      const subject = { mediaType: OCI_INDEX, digest: digestOf(content.index), size: content.index.length };
      const body = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(content.image).toString()), subject }));
      const pushed = await send('PUT', `${base}/manifests/${digestOf(body)}`, { type: OCI_MANIFEST, body });
      const listed = await send('GET', `${base}/referrers/${subject.digest}`);
      return hasField(pushed, 'OCI-Subject', subject.digest) && listed.body.includes(digestOf(body));
    },
  },
  {
    id: 'link-header-origin',
    registry: on('GET', '/tags/list', (answer, { request }) =>
      withFields(answer, { Link: `<http://registry.internal:5000${request.path}?last=b&n=2>; rel="next"` }),
    ),
    works: async ({ send, base }) =>
      (await send('GET', `${base}/tags/list?n=2`)).header('Link')?.startsWith(`<${base}/tags/list`) === true,
  },
];
