/** The name leaves `pages` to what else may use the database. */
export const accountPages = `
ALTER TABLE accounts ADD COLUMN pages_due_at INTEGER;
CREATE INDEX accounts_pages_due ON accounts (platform, pages_due_at, id)
  WHERE status = 'active' AND pages_due_at IS NOT NULL;

CREATE TABLE account_pages (
  id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed_token TEXT,
  key_id TEXT,
  token_expires_at INTEGER,
  tasks TEXT NOT NULL,
  instagram_business_account_id TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  missing_count INTEGER NOT NULL,
  last_missed_at INTEGER,
  parent_generation INTEGER NOT NULL,
  refreshed_at INTEGER,
  UNIQUE (account_id, external_id)
);

CREATE TABLE halts (
  id TEXT NOT NULL PRIMARY KEY,
  platform TEXT NOT NULL,
  provider_app_id TEXT NOT NULL,
  state TEXT NOT NULL,
  code TEXT NOT NULL,
  suspects TEXT NOT NULL,
  since INTEGER NOT NULL,
  probe_at INTEGER NOT NULL
);
`
