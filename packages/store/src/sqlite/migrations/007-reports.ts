/**
 * `ends_at`: when an account comes to its end, by its token or by the access to its user's data, whichever is sooner.
 *
 * The views are for people: they have the columns that a usual hand-written script's tables have. Their times are texts
 * as `datetime('now')` makes them (UTC), so that the two compare as they should; with a `T` in the middle they would not,
 * within one day. They hold nothing that is sealed.
 */
export const reports = `
ALTER TABLE accounts ADD COLUMN ends_at INTEGER GENERATED ALWAYS AS (
  min(coalesce(dies_at, data_access_expires_at), coalesce(data_access_expires_at, dies_at))
) VIRTUAL;
CREATE INDEX accounts_expiring ON accounts (platform, ends_at, id) WHERE ends_at IS NOT NULL AND status <> 'removing';
CREATE INDEX account_pages_expiring ON account_pages (token_expires_at, id) WHERE token_expires_at IS NOT NULL;

CREATE VIEW meta_accounts AS SELECT
  id,
  owner_id AS user_id,
  platform,
  external_id AS meta_user_id,
  display_name AS name,
  status,
  status_reason,
  status = 'active' AS is_active,
  datetime(dies_at / 1000, 'unixepoch') AS expires_at,
  datetime(data_access_expires_at / 1000, 'unixepoch') AS data_access_expires_at,
  datetime(last_refreshed_at / 1000, 'unixepoch') AS last_refreshed_at,
  datetime(next_refresh_at / 1000, 'unixepoch') AS next_refresh_at,
  datetime(connected_at / 1000, 'unixepoch') AS created_at
FROM accounts WHERE platform IN ('meta', 'instagram', 'threads') AND status <> 'removing';

CREATE VIEW pages AS SELECT
  id,
  account_id AS meta_account_id,
  external_id AS page_id,
  name AS page_name,
  status,
  status_reason,
  sealed_token IS NOT NULL AS has_token,
  datetime(token_expires_at / 1000, 'unixepoch') AS token_expires_at,
  instagram_business_account_id,
  datetime(refreshed_at / 1000, 'unixepoch') AS last_refreshed_at
FROM account_pages;

CREATE VIEW token_refresh_log AS SELECT
  refresh_log.id,
  account_id AS meta_account_id,
  page_id,
  accounts.platform,
  refresh_type,
  success,
  outcome,
  error_code,
  error_message,
  datetime(old_expires_at / 1000, 'unixepoch') AS old_expires_at,
  datetime(new_expires_at / 1000, 'unixepoch') AS new_expires_at,
  datetime(refreshed_at / 1000, 'unixepoch') AS refreshed_at
FROM refresh_log LEFT JOIN accounts ON accounts.id = account_id;
`
