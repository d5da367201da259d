/**
 * The steps from an empty facts database to the present one. A step that was released is never changed: a new one is added.
 * `PRAGMA user_version` counts the steps taken.
 */
export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE tags (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, view TEXT NOT NULL,
    digest TEXT NOT NULL, confirmed_at REAL NOT NULL,
    PRIMARY KEY (upstream, repository, tag, view)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE links (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL, access TEXT NOT NULL,
    PRIMARY KEY (upstream, repository, kind, digest)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE derived (
    id INTEGER PRIMARY KEY,
    upstream TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL, original TEXT NOT NULL,
    media_type TEXT NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (upstream, repository, digest)
  ) STRICT;
  CREATE INDEX derived_by_original ON derived (upstream, original);

  CREATE TABLE signed (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, original TEXT NOT NULL, signed INTEGER NOT NULL,
    PRIMARY KEY (upstream, repository, original)
  ) STRICT, WITHOUT ROWID;

  -- One row for each file. modified is NULL until the file's digest was checked; used only orders.
  CREATE TABLE contents (
    kind TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, modified REAL, used INTEGER NOT NULL, headers TEXT,
    PRIMARY KEY (kind, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX contents_by_use ON contents (used);

  CREATE TABLE totals (kind TEXT PRIMARY KEY, bytes INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
  INSERT INTO totals VALUES ('blob', 0, 0), ('manifest', 0, 0);
  CREATE TRIGGER contents_inserted AFTER INSERT ON contents BEGIN
    UPDATE totals SET bytes = bytes + new.size, count = count + 1 WHERE kind = new.kind;
  END;
  CREATE TRIGGER contents_deleted AFTER DELETE ON contents BEGIN
    UPDATE totals SET bytes = bytes - old.size, count = count - 1 WHERE kind = old.kind;
  END;
  CREATE TRIGGER contents_resized AFTER UPDATE OF size ON contents BEGIN
    UPDATE totals SET bytes = bytes - old.size + new.size WHERE kind = new.kind;
  END;

  -- Has a row while the database is open, so that an end without farewell shows.
  CREATE TABLE sessions (started_at REAL NOT NULL) STRICT;
  `,
  `
  -- How far the scrubber came, and when it last came to the end.
  CREATE TABLE scrub (kind TEXT NOT NULL, digest TEXT NOT NULL, completed_at REAL) STRICT;
  INSERT INTO scrub VALUES ('', '', NULL);
  `,
  `
  -- Which registry the facts under an upstream's name are about.
  CREATE TABLE upstreams (name TEXT PRIMARY KEY, url TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- When a tag was last pulled, to the hour.
  CREATE TABLE pulls (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, pulled_at REAL NOT NULL,
    PRIMARY KEY (upstream, repository, tag)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- How the kept manifest came from the one that the registry has.
  ALTER TABLE derived ADD COLUMN kind TEXT NOT NULL DEFAULT 'media-type-added';
  `,
  `
  -- The configs of images that were converted, which no registry has.
  CREATE TABLE configs (
    id INTEGER PRIMARY KEY,
    upstream TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL, original TEXT NOT NULL, bytes BLOB NOT NULL,
    UNIQUE (upstream, repository, digest)
  ) STRICT;
  CREATE INDEX configs_by_original ON configs (upstream, original);
  `,
  `
  -- What was pushed with a subject to registries that keep no list of it; the descriptor is JSON.
  CREATE TABLE referrers (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, digest TEXT NOT NULL, subject TEXT NOT NULL, descriptor TEXT NOT NULL,
    PRIMARY KEY (upstream, repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX referrers_by_subject ON referrers (upstream, repository, subject);
  `,
  `
  -- What tags meant and when, and what operators fixed them to.
  CREATE TABLE tag_history (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, view TEXT NOT NULL, digest TEXT NOT NULL,
    turn INTEGER NOT NULL, first_seen REAL NOT NULL, confirmed REAL NOT NULL, seen_by TEXT NOT NULL, user TEXT,
    PRIMARY KEY (upstream, repository, tag, view, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tag_history_by_confirmation ON tag_history (confirmed);
  CREATE TABLE pins (
    upstream TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL,
    digest TEXT NOT NULL, note TEXT, pinned_at REAL NOT NULL,
    PRIMARY KEY (upstream, repository, tag)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Which endpoints use which content, while one of them has a quota. A row goes with that of the content.
  CREATE TABLE endpoint_contents (
    endpoint TEXT NOT NULL, kind TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (endpoint, kind, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX endpoint_contents_by_use ON endpoint_contents (endpoint, used);
  CREATE INDEX endpoint_contents_by_content ON endpoint_contents (kind, digest);
  CREATE TABLE endpoint_totals (
    endpoint TEXT PRIMARY KEY, quota INTEGER, bytes INTEGER NOT NULL, count INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER endpoint_contents_inserted AFTER INSERT ON endpoint_contents BEGIN
    INSERT INTO endpoint_totals (endpoint, bytes, count) VALUES (new.endpoint, new.size, 1)
      ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes, count = count + 1;
  END;
  CREATE TRIGGER endpoint_contents_deleted AFTER DELETE ON endpoint_contents BEGIN
    UPDATE endpoint_totals SET bytes = bytes - old.size, count = count - 1 WHERE endpoint = old.endpoint;
  END;
  CREATE TRIGGER endpoint_contents_resized AFTER UPDATE OF size ON endpoint_contents BEGIN
    UPDATE endpoint_totals SET bytes = bytes - old.size + new.size WHERE endpoint = new.endpoint;
  END;
  CREATE TRIGGER used_contents_deleted AFTER DELETE ON contents BEGIN
    DELETE FROM endpoint_contents WHERE kind = old.kind AND digest = old.digest;
  END;
  CREATE TRIGGER used_contents_resized AFTER UPDATE OF size ON contents WHEN old.size <> new.size BEGIN
    UPDATE endpoint_contents SET size = new.size WHERE kind = new.kind AND digest = new.digest;
  END;
  `,
  `
  -- Tokens of \`manifix token new\`; hash is that of the token. endpoints is a JSON list, or NULL for all.
  CREATE TABLE access_tokens (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL, endpoints TEXT, note TEXT NOT NULL,
    created_at REAL NOT NULL, expires_at REAL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What clients used, by day since the epoch (UTC). The rows of each subject, repository or user, have all of it.
  CREATE TABLE usage (
    day INTEGER NOT NULL, endpoint TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL,
    requests INTEGER NOT NULL, bytes INTEGER NOT NULL, hits INTEGER NOT NULL, saved_bytes INTEGER NOT NULL,
    upstream_requests INTEGER NOT NULL, upstream_bytes INTEGER NOT NULL,
    PRIMARY KEY (day, endpoint, subject, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What a registry wants of callers without credentials: a JSON list of challenges. It goes when the name means another registry.
  ALTER TABLE upstreams ADD COLUMN demands TEXT;
  `,
];
