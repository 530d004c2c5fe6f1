/**
 * Times are ms since the epoch. The tables are not STRICT: a fraction of a millisecond must not keep a commit out.
 * `takeover_at`: when a standing attempt may be taken over (live: its lease; released and held: notBefore).
 */
export const init = `
CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  owner_id TEXT NOT NULL,
  platform TEXT NOT NULL,
  provider_app_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  display_name TEXT NOT NULL,
  status TEXT NOT NULL,
  status_reason TEXT,
  service_url TEXT,
  issuer TEXT,
  scopes TEXT NOT NULL,
  generation INTEGER NOT NULL,
  sealed_credential TEXT NOT NULL,
  key_id TEXT NOT NULL,
  previous_credential TEXT,
  previous_key_id TEXT,
  connect_id TEXT NOT NULL,
  access_expires_at INTEGER,
  dies_at INTEGER,
  data_access_expires_at INTEGER,
  connected_at INTEGER NOT NULL,
  last_refreshed_at INTEGER,
  next_refresh_at INTEGER NOT NULL,
  snoozed_at INTEGER,
  failure TEXT,
  attempt TEXT,
  last_attempt TEXT,
  pages_generation INTEGER NOT NULL,
  outbox TEXT NOT NULL,
  owner_email TEXT,
  sealed_app_password TEXT,
  app_password_key_id TEXT,
  app_password_tried_at INTEGER,
  takeover_at INTEGER GENERATED ALWAYS AS (
    CASE attempt ->> '$.state' WHEN 'live' THEN attempt ->> '$.leaseUntil' ELSE attempt ->> '$.notBefore' END
  ) VIRTUAL,
  UNIQUE (owner_id, platform, provider_app_id, external_id)
);
CREATE INDEX accounts_due ON accounts (platform, status, next_refresh_at, id);
CREATE INDEX accounts_stale ON accounts (takeover_at, id)
  WHERE attempt IS NOT NULL AND status NOT IN ('quarantined', 'removing');
CREATE INDEX accounts_outbox ON accounts (id) WHERE outbox <> '[]';

CREATE TABLE refresh_log (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  page_id TEXT,
  refresh_type TEXT NOT NULL,
  outcome TEXT NOT NULL,
  success INTEGER NOT NULL,
  error_class TEXT,
  error_code TEXT,
  error_message TEXT,
  old_expires_at INTEGER,
  new_expires_at INTEGER,
  generation INTEGER NOT NULL,
  token_digest TEXT NOT NULL,
  duration_ms INTEGER NOT NULL,
  worker_id TEXT NOT NULL,
  refreshed_at INTEGER NOT NULL
);
CREATE INDEX refresh_log_time ON refresh_log (refreshed_at, id);
CREATE INDEX refresh_log_account ON refresh_log (account_id, refreshed_at, id);
CREATE INDEX refresh_log_success ON refresh_log (success, refreshed_at, id);

CREATE TABLE events (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  type TEXT NOT NULL,
  reason TEXT,
  at INTEGER NOT NULL
);
CREATE INDEX events_time ON events (at, id);
CREATE INDEX events_account ON events (account_id, at, id);

CREATE TABLE audit (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  detail TEXT,
  at INTEGER NOT NULL
);
CREATE INDEX audit_time ON audit (at, id);
CREATE INDEX audit_account ON audit (account_id, at, id);

CREATE TABLE runs (
  id TEXT NOT NULL PRIMARY KEY,
  schedule_id TEXT NOT NULL,
  occurrence TEXT NOT NULL,
  filter TEXT NOT NULL,
  requested_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  cursor TEXT,
  totals TEXT NOT NULL,
  UNIQUE (schedule_id, occurrence)
);
CREATE INDEX runs_unfinished ON runs (created_at, id) WHERE finished_at IS NULL;

CREATE TABLE pings (id INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL);
`
