import type { DatabaseSync } from 'node:sqlite';

/** Of a subject since a day; of one endpoint, or of all when there is none. */
export const USAGE_SINCE = 'SELECT * FROM usage WHERE day >= ? AND subject = ? AND endpoint = coalesce(?, endpoint)';

export const SIGHTINGS_OF_TAG = `SELECT view, digest, turn, first_seen, confirmed, seen_by, user FROM tag_history
  WHERE upstream = ? AND repository = ? AND tag = ? ORDER BY view, turn DESC`;

const QUERIES = {
  tag: 'SELECT digest, confirmed_at FROM tags WHERE upstream = ? AND repository = ? AND tag = ? AND view = ?',
  putTag:
    'INSERT OR REPLACE INTO tags (upstream, repository, tag, view, digest, confirmed_at) VALUES (?, ?, ?, ?, ?, ?)',
  dropTag: 'DELETE FROM tags WHERE upstream = ? AND repository = ? AND tag = ?',
  dropRepositoryTags: 'DELETE FROM tags WHERE upstream = ? AND repository = ?',
  dropAllTags: 'DELETE FROM tags',

  putPull: 'INSERT OR REPLACE INTO pulls (upstream, repository, tag, pulled_at) VALUES (?, ?, ?, ?)',
  dropUpstreamPulls: 'DELETE FROM pulls WHERE upstream = ?',

  link: 'SELECT access FROM links WHERE upstream = ? AND repository = ? AND kind = ? AND digest = ?',
  linkedIn: 'SELECT repository FROM links WHERE upstream = ? AND kind = ? AND digest = ? LIMIT 8',
  putLink: 'INSERT OR REPLACE INTO links (upstream, repository, kind, digest, access) VALUES (?, ?, ?, ?, ?)',
  dropLink: 'DELETE FROM links WHERE upstream = ? AND repository = ? AND kind = ? AND digest = ?',
  dropAllLinks: 'DELETE FROM links',

  derived:
    'SELECT digest, original, media_type, bytes, kind FROM derived WHERE upstream = ? AND repository = ? AND digest = ?',
  derivedFrom: `SELECT digest, original, media_type, bytes, kind FROM derived
    WHERE upstream = ? AND repository = ? AND original = ? AND kind = ? ORDER BY id DESC LIMIT 1`,
  config: 'SELECT original, bytes FROM configs WHERE upstream = ? AND repository = ? AND digest = ?',
  putConfig: `INSERT INTO configs (upstream, repository, digest, original, bytes)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  dropConfigs: 'DELETE FROM configs WHERE upstream = ? AND repository = ? AND original = ?',
  dropConfigsOf: `DELETE FROM configs WHERE (upstream, repository) IN
    (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
  putDerived: `INSERT INTO derived (upstream, repository, digest, original, media_type, bytes, kind)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  dropDerived: 'DELETE FROM derived WHERE upstream = ? AND repository = ? AND original = ?',

  // Purges name content or repositories; several repositories come as a JSON list of [upstream, repository].
  dropDigestTags: 'DELETE FROM tags WHERE digest = ?',
  dropDigestLinks: 'DELETE FROM links WHERE digest = ?',
  dropDigestDerived: 'DELETE FROM derived WHERE digest = ?',
  repositoriesNamed: `SELECT upstream, repository FROM tags WHERE ?1 IN (repository, upstream || '/' || repository)
    UNION SELECT upstream, repository FROM links WHERE ?1 IN (repository, upstream || '/' || repository)
    UNION SELECT upstream, repository FROM derived WHERE ?1 IN (repository, upstream || '/' || repository)
    UNION SELECT upstream, repository FROM signed WHERE ?1 IN (repository, upstream || '/' || repository)`,
  linkedOnlyBy: `WITH purged AS (SELECT value ->> 0 AS upstream, value ->> 1 AS repository FROM json_each(?))
    SELECT kind, digest, size FROM contents WHERE (kind, digest) IN (
      SELECT kind, digest FROM links WHERE (upstream, repository) IN purged
      EXCEPT SELECT kind, digest FROM links WHERE (upstream, repository) NOT IN purged)`,
  dropTagsOf: `DELETE FROM tags WHERE (upstream, repository) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
  dropLinksOf: `DELETE FROM links WHERE (upstream, repository) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
  // What was pushed cannot be derived anew.
  dropDerivedOf: `DELETE FROM derived WHERE kind <> 'as-pushed' AND (upstream, repository) IN
    (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
  dropSignedOf: `DELETE FROM signed WHERE (upstream, repository) IN
    (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
  derivedBehind: 'SELECT id, upstream, repository, digest, bytes FROM derived WHERE id > ? ORDER BY id LIMIT 1',
  dropDerivedById: 'DELETE FROM derived WHERE id = ?',

  signed: 'SELECT signed FROM signed WHERE upstream = ? AND repository = ? AND original = ?',
  putSigned: 'INSERT OR REPLACE INTO signed (upstream, repository, original, signed) VALUES (?, ?, ?, ?)',
  dropAllSigned: 'DELETE FROM signed',

  referrers: 'SELECT descriptor FROM referrers WHERE upstream = ? AND repository = ? AND subject = ? ORDER BY digest',
  putReferrer: `INSERT OR REPLACE INTO referrers (upstream, repository, digest, subject, descriptor)
    VALUES (?, ?, ?, ?, ?)`,
  dropReferrer: 'DELETE FROM referrers WHERE upstream = ? AND repository = ? AND digest = ?',

  tagHistory: SIGHTINGS_OF_TAG,
  putSighting: `INSERT OR REPLACE INTO tag_history
    (upstream, repository, tag, view, digest, turn, first_seen, confirmed, seen_by, user) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  boundTagHistory: `DELETE FROM tag_history WHERE upstream = ?1 AND repository = ?2 AND tag = ?3 AND view = ?4 AND digest IN
    (SELECT digest FROM tag_history WHERE upstream = ?1 AND repository = ?2 AND tag = ?3 AND view = ?4
      ORDER BY turn DESC LIMIT -1 OFFSET ?5)`,
  countSightings: 'SELECT count(*) AS count FROM tag_history',
  boundSightings: `DELETE FROM tag_history WHERE (upstream, repository, tag, view, digest) IN
    (SELECT upstream, repository, tag, view, digest FROM tag_history ORDER BY confirmed LIMIT ?)`,
  dropUpstreamHistory: 'DELETE FROM tag_history WHERE upstream = ?',
  pins: 'SELECT upstream, repository, tag, digest, note, pinned_at FROM pins',
  putPin: 'INSERT OR REPLACE INTO pins (upstream, repository, tag, digest, note, pinned_at) VALUES (?, ?, ?, ?, ?, ?)',
  dropPin: 'DELETE FROM pins WHERE upstream = ? AND repository = ? AND tag = ?',

  upstream: 'SELECT url FROM upstreams WHERE name = ?',
  putUpstream: 'INSERT OR REPLACE INTO upstreams (name, url) VALUES (?, ?)',
  demands: 'SELECT demands FROM upstreams WHERE name = ?',
  putDemands: 'UPDATE upstreams SET demands = ? WHERE name = ?',
  dropUpstreamTags: 'DELETE FROM tags WHERE upstream = ?',
  dropUpstreamLinks: 'DELETE FROM links WHERE upstream = ?',
  dropUpstreamSigned: 'DELETE FROM signed WHERE upstream = ?',

  content: 'SELECT size, modified, headers FROM contents WHERE kind = ? AND digest = ?',
  putContent: `INSERT INTO contents (kind, digest, size, modified, used, headers) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET size = excluded.size, modified = excluded.modified, used = excluded.used,
      headers = coalesce(headers, excluded.headers)`,
  adoptContent: 'INSERT OR IGNORE INTO contents (kind, digest, size, modified, used) VALUES (?, ?, ?, NULL, 0)',
  confirmContent: 'UPDATE contents SET size = ?, modified = ? WHERE kind = ? AND digest = ?',
  dropContent: 'DELETE FROM contents WHERE kind = ? AND digest = ?',
  useContent: 'UPDATE contents SET used = ? WHERE kind = ? AND digest = ?',
  leastUsed: `SELECT kind, digest, size, used FROM contents
    WHERE (used, kind, digest) > (?, ?, ?) ORDER BY used, kind, digest LIMIT 100`,
  contentBehind: `SELECT kind, digest, size, modified FROM contents
    WHERE (kind, digest) > (?, ?) ORDER BY kind, digest LIMIT 1`,
  lastUse: 'SELECT max(used) AS used FROM contents',
  totals: 'SELECT kind, bytes, count FROM totals',

  claimContent: `INSERT INTO endpoint_contents (endpoint, kind, digest, size, used) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET used = excluded.used`,
  dropClaim: 'DELETE FROM endpoint_contents WHERE endpoint = ? AND kind = ? AND digest = ?',
  claimsOf: 'SELECT count(*) AS count FROM endpoint_contents WHERE kind = ? AND digest = ?',
  leastClaimed: `SELECT kind, digest, size, used FROM endpoint_contents
    WHERE endpoint = ? AND (used, kind, digest) > (?, ?, ?) ORDER BY used, kind, digest LIMIT 100`,
  dropSomeClaims: `DELETE FROM endpoint_contents WHERE endpoint = ?1 AND (kind, digest) IN
    (SELECT kind, digest FROM endpoint_contents WHERE endpoint = ?1 LIMIT 1000)`,
  endpointTotals: 'SELECT endpoint, quota, bytes, count FROM endpoint_totals ORDER BY endpoint',
  endpointBytes: 'SELECT bytes FROM endpoint_totals WHERE endpoint = ?',
  putEndpoint: `INSERT INTO endpoint_totals (endpoint, quota, bytes, count) VALUES (?, ?, 0, 0)
    ON CONFLICT DO UPDATE SET quota = excluded.quota`,
  dropEndpoint: 'DELETE FROM endpoint_totals WHERE endpoint = ?',
  dropQuotas: 'UPDATE endpoint_totals SET quota = NULL WHERE quota IS NOT NULL',

  scrub: 'SELECT kind, digest, completed_at FROM scrub',
  putScrub: 'UPDATE scrub SET kind = ?, digest = ?, completed_at = ?',

  accessToken: 'SELECT id, user, endpoints, note, created_at, expires_at FROM access_tokens WHERE hash = ?',
  accessTokenById: 'SELECT id, user, endpoints, note, created_at, expires_at FROM access_tokens WHERE id = ?',
  accessTokens: 'SELECT id, user, endpoints, note, created_at, expires_at FROM access_tokens ORDER BY created_at, id',
  putAccessToken: `INSERT INTO access_tokens (id, hash, user, endpoints, note, created_at, expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  dropAccessToken: 'DELETE FROM access_tokens WHERE id = ?',
  dropEndedAccessTokens: 'DELETE FROM access_tokens WHERE expires_at < ?',

  usageOfDay: 'SELECT * FROM usage WHERE day = ?',
  usageSince: USAGE_SINCE,
  putUsage: `INSERT OR REPLACE INTO usage (day, endpoint, subject, name, requests, bytes, hits, saved_bytes,
    upstream_requests, upstream_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  dropUsage: 'DELETE FROM usage WHERE day = ? AND endpoint = ? AND subject = ? AND name = ?',
  forgetUsage: 'DELETE FROM usage WHERE day < ?',

  sessions: 'SELECT count(*) AS count FROM sessions',
  beginSession: 'INSERT INTO sessions VALUES (?)',
  endSessions: 'DELETE FROM sessions',
} as const;

export type Statements = ReturnType<typeof prepareStatements>;

/** Prepares all statements of the store on a database of the present schema. */
export function prepareStatements(database: DatabaseSync): {
  readonly [Name in keyof typeof QUERIES]: ReturnType<DatabaseSync['prepare']>;
} {
  const entries = Object.entries(QUERIES).map(([name, sql]) => [name, database.prepare(sql)] as const);
  // Object.fromEntries forgets the names that Object.entries gave it.
  return Object.fromEntries(entries) as Record<keyof typeof QUERIES, ReturnType<DatabaseSync['prepare']>>;
}
