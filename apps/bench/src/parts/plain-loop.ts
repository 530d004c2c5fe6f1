import { DatabaseSync } from 'node:sqlite'
import { INSTANT_ISSUER, instantSession } from '@tokenkeeper/testkit'

export interface PlainLoop extends Disposable {
  /** Refreshes all accounts, one after another; accounts a second. */
  run(): Promise<number>
}

/**
 * The loop that apps write for themselves: read an account, call its host, save the answer, go on to the next one. Its
 * tokens lie in the clear in a SQLite file with the same durability as ours; nothing is logged, nothing is checked.
 */
export function openPlainLoop(path: string, count: number, serviceUrl: string): PlainLoop {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec('CREATE TABLE users (did TEXT PRIMARY KEY, access_jwt TEXT, refresh_jwt TEXT)')
  const insert = db.prepare('INSERT INTO users VALUES (?, ?, ?)')
  const dids = Array.from({ length: count }, (_, i) => `did:plc:${String(i).padStart(24, '0')}`)
  for (const did of dids) insert.run(did, INSTANT_ISSUER, instantSession(did, 1).refreshJwt)
  const read = db.prepare('SELECT refresh_jwt AS token FROM users WHERE did = ?')
  const save = db.prepare('UPDATE users SET access_jwt = ?, refresh_jwt = ? WHERE did = ?')

  return {
    async run() {
      const begun = performance.now()
      for (const did of dids) {
        const answer = await fetch(`${serviceUrl}/xrpc/com.atproto.server.refreshSession`, {
          method: 'POST',
          headers: { authorization: `Bearer ${read.get(did)?.token}` },
        })
        const { accessJwt, refreshJwt } = (await answer.json()) as { accessJwt: string; refreshJwt: string }
        save.run(accessJwt, refreshJwt, did)
      }
      return (dids.length * 1_000) / (performance.now() - begun)
    },
    [Symbol.dispose]: () => db.close(),
  }
}
