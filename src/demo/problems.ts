import { type Answer, describeAnswer, explanationIn, type Send } from '../broken/client.ts';
import { CONFIG, LAYER, MANIFEST } from '../broken/sample.ts';
import { digestOf } from '../domain/digest.ts';
import { DOCKER_MANIFEST, OCTET_STREAM } from '../domain/media-type.ts';

/** One request of a problem, and how its two answers are judged. */
interface Step {
  readonly request: string;
  /** What becomes of it with manifix: it works, or it is refused with an explanation. */
  readonly promise: 'fixed' | 'explained';
  readonly kept: (through: Answer, direct: Answer) => boolean;
  readonly describe: (answer: Answer) => string;
}

/** A client of each of the two registries. */
export interface Registries {
  readonly dockerRegistry: Send;
  readonly gitlab: Send;
}

/** A way to fail that somebody reported, as the requests they sent. */
export interface Problem {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Sends the requests, and gives the answers in the order of the steps. */
  readonly replay: (registries: Registries) => Promise<readonly Answer[]>;
}

const FORM = 'application/x-www-form-urlencoded';
/** `docker save` names its directories so; it is no digest of any file in them. */
const DIRECTORY_NAME = 'sha256:39cb81dcd06e3d4e2b813f56b72da567696fa9a59b652bd477615b31af969239';

const copyManifest: Problem = {
  title: 'A script copies a manifest: "manifest invalid"',
  steps: [
    {
      ...fixed('GET a manifest, no Accept header'),
      kept: (through) => typeOf(through) === DOCKER_MANIFEST,
      describe: (answer) => `${answer.status} ${typeOf(answer).replace(/^.*distribution\./, '')}`,
    },
    explained(`PUT '"$manifests"', not expanded`),
    fixed('PUT what the GET gave', 201),
  ],
  replay: async ({ dockerRegistry: send }) => {
    const got = await send('GET', '/v2/registry/manifests/1');
    const quoted = await send('PUT', '/v2/registry/manifests/1', {
      type: DOCKER_MANIFEST,
      body: Buffer.from('"$manifests"'),
    });
    const copied = await send('PUT', '/v2/registry/manifests/1', { type: DOCKER_MANIFEST, body: got.body });
    return [got, quoted, copied];
  },
};

const uploadLayer: Problem = {
  title: 'curl uploads a layer: "blob upload invalid"',
  steps: [
    fixed('POST blobs/uploads, without the last /', 202),
    fixed('PUT <Location>?digest=, a second ?', 201),
    fixed('PUT <Location>&digest=, sent as a form', 201),
    explained('PUT with a docker save name as digest'),
  ],
  replay: async ({ dockerRegistry: send }) => {
    const opened = await send('POST', '/v2/library/alpine/blobs/uploads');
    const digest = digestOf(LAYER);
    const twice = await send('PUT', `${await openSession(send)}?digest=${digest}`, { type: FORM, body: LAYER });
    const form = await send('PUT', `${await openSession(send)}&digest=${digest}`, { type: FORM, body: LAYER });
    const wrong = await send('PUT', `${await openSession(send)}&digest=${DIRECTORY_NAME}`, {
      type: OCTET_STREAM,
      body: LAYER,
    });
    return [opened, twice, form, wrong];
  },
};

const pushWithPost: Problem = {
  title: 'A tool uploads with a single POST, then pushes: "blob unknown to registry"',
  steps: [
    fixed('POST ?digest= with the whole blob', 201),
    fixed('HEAD that blob', 200),
    fixed('PUT the manifest that names it', 201),
  ],
  replay: async ({ dockerRegistry: send }) => {
    const start = '/v2/wrapper/blobs/uploads/';
    await send('POST', `${start}?digest=${digestOf(CONFIG)}`, { type: OCTET_STREAM, body: CONFIG });
    const posted = await send('POST', `${start}?digest=${digestOf(LAYER)}`, { type: OCTET_STREAM, body: LAYER });
    const head = await send('HEAD', `/v2/wrapper/blobs/${digestOf(LAYER)}`);
    const pushed = await send('PUT', '/v2/wrapper/manifests/1', { type: DOCKER_MANIFEST, body: MANIFEST });
    return [posted, head, pushed];
  },
};

const pullUntypedIndex: Problem = {
  title: 'An index without mediaType cannot be pulled: "Schema 1 manifest not supported"',
  steps: [
    explained('GET it by tag from GitLab'),
    {
      ...fixed('GET it by tag from docker-registry'),
      kept: (through) => hasMediaType(through) && digestOf(through.body) === through.header('Docker-Content-Digest'),
      describe: (answer) =>
        `${answer.status} ${hasMediaType(answer) ? 'with' : 'no'} mediaType, ${digestOf(answer.body).slice(0, 15)}…`,
    },
  ],
  replay: async ({ dockerRegistry, gitlab }) => {
    const path = '/v2/mygroup/myproject/manifests/latest';
    return [await gitlab('GET', path), await dockerRegistry('GET', path)];
  },
};

/** In the order in which they are shown. */
export const PROBLEMS: readonly Problem[] = [copyManifest, uploadLayer, pushWithPost, pullUntypedIndex];

function fixed(request: string, status = 200): Step {
  return { request, promise: 'fixed', kept: (through) => through.status === status, describe: describeAnswer };
}

function explained(request: string): Step {
  const kept = (through: Answer, direct: Answer) =>
    through.status === direct.status && explanationIn(through) !== undefined;
  return { request, promise: 'explained', kept, describe: describeAnswer };
}

async function openSession(send: Send): Promise<string> {
  const answer = await send('POST', '/v2/library/alpine/blobs/uploads/');
  return answer.header('Location') ?? '';
}

function typeOf(answer: Answer): string {
  return answer.header('Content-Type') ?? '';
}

function hasMediaType({ body }: Answer): boolean {
  return body.toString().includes('"mediaType":"application/vnd.oci.image.index.v1+json"');
}
