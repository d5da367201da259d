import { type Context, Hono } from 'hono';
import { clientOf } from './client-of.ts';
import { parseObject, refuse, takeJsonOnly } from './json-requests.ts';

/** What a tag meant, and what it is pinned to. Names are the upstream's, times in ISO 8601. */
export interface TagReport {
  readonly reference: string;
  readonly endpoint: string;
  readonly upstream: string;
  readonly repository: string;
  readonly tag: string;
  readonly pin: {
    readonly digest: string;
    /** By `command` for all endpoints of the upstream, by `configuration` for this one. */
    readonly by: 'command' | 'configuration';
    readonly since: string | null;
    readonly note: string | null;
  } | null;
  /** By kind of `Accept`, the latest first. */
  readonly history: readonly {
    readonly accept: string;
    readonly digest: string;
    readonly firstSeen: string;
    readonly confirmed: string;
    readonly by: 'pull' | 'push';
    readonly user: string | null;
  }[];
}

export type ToldOfTag = { readonly told: TagReport } | { readonly wrong: string };

/** What operators can ask about tags, and do with them. `client` is the address of whoever asks. */
export interface TagOperations {
  history(reference: string): ToldOfTag;
  /** @param digest `current` for what the tag means now */
  pin(reference: string, digest: string, note: string | undefined, client: string): ToldOfTag;
  unpin(reference: string, client: string): ToldOfTag;
  /** @param to a digest of its history; without it the one before */
  rollback(reference: string, to: string | undefined, client: string): ToldOfTag;
}

/** `GET /history?reference=...`, `POST /pin`, `POST /unpin` and `POST /rollback`. */
export function createTagRoutes(tags: TagOperations): Hono {
  const app = new Hono();
  const tell = (context: Context, answer: ToldOfTag) =>
    'wrong' in answer ? refuse(context, 400, answer.wrong) : context.json(answer.told);
  app.get('/history', (context) => {
    const reference = context.req.query('reference') ?? '';
    if (reference === '') return refuse(context, 400, 'reference is missing: /tags/history?reference=team/app:1.2');
    return tell(context, tags.history(reference));
  });
  takeJsonOnly(app);
  app.post('/pin', async (context) => {
    const words = parseWords(await context.req.text(), ['reference', 'digest'], ['note']);
    if ('wrong' in words) return refuse(context, 400, words.wrong);
    const { reference = '', digest = '', note } = words;
    return tell(context, tags.pin(reference, digest, note, clientOf(context)));
  });
  app.post('/unpin', async (context) => {
    const words = parseWords(await context.req.text(), ['reference'], []);
    if ('wrong' in words) return refuse(context, 400, words.wrong);
    return tell(context, tags.unpin(words.reference ?? '', clientOf(context)));
  });
  app.post('/rollback', async (context) => {
    const words = parseWords(await context.req.text(), ['reference'], ['to']);
    if ('wrong' in words) return refuse(context, 400, words.wrong);
    return tell(context, tags.rollback(words.reference ?? '', words.to, clientOf(context)));
  });
  app.onError((error, context) => refuse(context, 500, error.message));
  return app;
}

type Words = Readonly<Record<string, string>>;

/** An object of these texts, or what is wrong with it. */
function parseWords(
  text: string,
  needed: readonly string[],
  optional: readonly string[],
): Words | { readonly wrong: string } {
  const content = parseObject(text);
  if (content === undefined) return { wrong: 'send a JSON object' };
  const known = [...needed, ...optional];
  for (const [key, value] of Object.entries(content)) {
    if (!known.includes(key)) return { wrong: `unknown key "${key}"; known: ${known.join(', ')}` };
    if (typeof value !== 'string' || value === '') return { wrong: `${key}: expected a string` };
  }
  const missing = needed.find((key) => content[key] === undefined);
  // Every value was seen to be a string.
  return missing === undefined ? (content as Words) : { wrong: `${missing} is missing` };
}
