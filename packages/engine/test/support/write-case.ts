import { type Account, type AccountStatus, makeId, type OutboxItem } from '@tokenkeeper/core'
import type { AccountWrite, Store } from '@tokenkeeper/store'
import { AT } from '@tokenkeeper/store/build-account'
import { expect, test } from 'vitest'

/** One row of the protocol's table of writes: when it is carried out, and what is then different. */
export interface WriteCase {
  /** The document for which the write was made. */
  readonly stands: Account
  readonly write: AccountWrite
  /** Every field that differs afterwards, but for the status. */
  readonly sets: Partial<Account>
  /** What is pushed onto the outbox, exactly. */
  readonly tells?: readonly OutboxItem[]
  /** What becomes of each status that may stand there instead; null: refused. Those not named stay. */
  readonly statuses?: Partial<Record<AccountStatus, AccountStatus | null>>
  /** Each differs in one thing from what was read, and is refused. */
  readonly refuses: Readonly<Record<string, Partial<Account>>>
  /** Each differs in one thing that must not matter; with what is then set differently. */
  readonly accepts?: Readonly<Record<string, readonly [stands: Partial<Account>, sets?: Partial<Account>]>>
}

const STATUSES: readonly AccountStatus[] = [
  'active',
  'paused',
  'needs_action',
  'needs_reconnect',
  'quarantined',
  'removing',
]

/** Something told before, which every write leaves in its place. */
export const TOLD_BEFORE: OutboxItem = {
  kind: 'audit',
  id: 'told-before',
  entry: { id: 'told-before', accountId: 'a', action: 'account.resumed', actor: 'test', detail: null, at: AT },
}

/** Whole documents are compared, so that a write that sets anything besides fails too. */
export function testWrite(name: string, { write, ...row }: WriteCase, store: () => Store): void {
  const next = (status: AccountStatus) => {
    const moved = row.statuses?.[status]
    return moved === undefined ? status : moved
  }

  /** The write on the row's document with a change, under an id of its own; what stands there afterwards. */
  async function carryOut(change: Partial<Account>) {
    const id = makeId()
    const before: Account = { ...row.stands, outbox: [TOLD_BEFORE], ...change, id, externalId: `did:plc:${id}` }
    const { accounts } = store()
    await accounts.insert(before)
    const done = await accounts.write({ ...write, accountId: id })
    return { before, done, after: await accounts.get(id) }
  }

  async function expectDone(change: Partial<Account>, sets: Partial<Account> = {}): Promise<void> {
    const { before, done, after } = await carryOut(change)
    const outbox = [TOLD_BEFORE, ...(row.tells ?? [])]
    expect(after).toStrictEqual({ ...before, ...row.sets, ...sets, status: next(before.status), outbox })
    expect(done).toBe(true)
  }

  async function expectRefused(change: Partial<Account>): Promise<void> {
    const { before, done, after } = await carryOut(change)
    expect(after).toStrictEqual(before)
    expect(done).toBe(false)
  }

  test(`${name}: sets this and no more`, () => expectDone({}))

  for (const status of STATUSES) {
    const to = next(status)
    if (to === null) test(`${name}: refused where the account is ${status}`, () => expectRefused({ status }))
    else test(`${name}: ${status} ${to === status ? 'stays' : `becomes ${to}`}`, () => expectDone({ status }))
  }
  for (const [what, change] of Object.entries(row.refuses)) {
    test(`${name}: refused where ${what}`, () => expectRefused(change))
  }
  for (const [what, [change, sets]] of Object.entries(row.accepts ?? {})) {
    test(`${name}: done also where ${what}`, () => expectDone(change, sets))
  }
}
