/** What an app keeps for itself. `status`: connected, or disconnected until the user logs in again. */
export const SCHEMA = `CREATE TABLE IF NOT EXISTS accounts (
  did TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'connected'
)`

export interface NaiveJob {
  readonly did: string
}
