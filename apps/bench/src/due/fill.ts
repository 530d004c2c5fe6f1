import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { DAY, MINUTE } from '@tokenkeeper/core'
import type { AccountStore } from '@tokenkeeper/store'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { instantSession } from '@tokenkeeper/testkit'

const AT_ONCE = 5_000

export interface Filling {
  readonly count: number
  /** So many of them are due, evenly spread over all; the others within the next weeks. */
  readonly due: number
  readonly now: number
}

/** The number-th account: its id grows with it, as ids made one after another do. */
function accountAt(number: number, { count, due, now }: Filling) {
  const id = number.toString(16).padStart(24, '0')
  const isDue = number % (count / due) === 0
  const nextRefreshAt = isDue ? now - MINUTE - number : now + DAY + number
  const externalId = `did:plc:${id}`
  const { accessJwt, refreshJwt } = instantSession(externalId, 1)
  // As long as a sealed one; nothing opens it here.
  const sealedCredential = Buffer.from(accessJwt + refreshJwt).toString('base64url')
  return buildAccount({ id, externalId, nextRefreshAt, sealedCredential, diesAt: now + 90 * DAY })
}

export async function fillStore(accounts: AccountStore, filling: Filling): Promise<void> {
  for (let from = 0; from < filling.count; from += AT_ONCE) {
    const page = Array.from({ length: Math.min(AT_ONCE, filling.count - from) }, (_, i) => accountAt(from + i, filling))
    await Promise.all(page.map((account) => accounts.insert(account)))
  }
}

/** The same through SQL, which copies the first account: a million in seconds. */
export async function fillSqlite(path: string, accounts: AccountStore, filling: Filling): Promise<void> {
  const { count, due, now } = filling
  await accounts.insert(accountAt(0, filling))
  using db = new DatabaseSync(path)
  // It may be lost: it is made anew for each measurement.
  db.exec('PRAGMA synchronous = OFF')
  const values: Record<string, string> = {
    id: `printf('%024x', number)`,
    external_id: `printf('did:plc:%024x', number)`,
    next_refresh_at: `iif(number % $every = 0, $now - ${MINUTE} - number, $now + ${DAY} + number)`,
  }
  const columns = db
    .prepare(`SELECT name FROM pragma_table_info('accounts')`)
    .all()
    .map(({ name }) => String(name))
  const copy = db.prepare(`
    WITH RECURSIVE numbers (number) AS (SELECT $from UNION ALL SELECT number + 1 FROM numbers WHERE number < $to)
    INSERT INTO accounts (${columns.join(', ')})
    SELECT ${columns.map((column) => values[column] ?? `template.${column}`).join(', ')}
    FROM numbers, (SELECT * FROM accounts WHERE id = '${'0'.repeat(24)}') AS template`)
  const PAGE = 50_000
  for (let from = 1; from < count; from += PAGE) {
    const bounds = { from, to: Math.min(count, from + PAGE) - 1 } satisfies Record<string, SQLInputValue>
    copy.run({ ...bounds, now, every: count / due })
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}
