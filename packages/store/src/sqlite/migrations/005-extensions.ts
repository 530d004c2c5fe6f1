export const extensions = `
ALTER TABLE refresh_log ADD COLUMN extension TEXT;
CREATE INDEX accounts_at_provider ON accounts (platform, provider_app_id, external_id);
`
