/** And former credentials: see `Run.window` and `Account.formerCredentials`. */
export const runWindows = `
ALTER TABLE runs ADD COLUMN window TEXT;
ALTER TABLE accounts ADD COLUMN former_credentials TEXT NOT NULL DEFAULT '[]';
`
