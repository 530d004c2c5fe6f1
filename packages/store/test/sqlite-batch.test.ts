import type { Account } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { buildAccount } from '../src/conformance/build-account.ts'
import type { AccountWrite } from '../src/index.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

const write = ({ id: accountId }: Account, set: AccountWrite['change']['set']): AccountWrite => ({
  name: 'x',
  accountId,
  when: { generation: 1 },
  change: { set: set! },
})

/** What a mistake of ours could hand in, past the types. */
const bad: Record<string, NonNullable<AccountWrite['change']['set']>> = {
  'breaks a constraint': { displayName: null as unknown as string },
  'cannot be bound': { displayName: Symbol('x') as unknown as string },
  'names no column': { no_such_field: 1 } as NonNullable<AccountWrite['change']['set']>,
}

describe('one write that cannot be carried out, in a batch', () => {
  test.each(Object.entries(bad))('which %s: the others go through', async (_, set) => {
    await using fixture = await openSqliteFixture()
    const { accounts } = fixture.store
    const all = Array.from({ length: 9 }, () => buildAccount())
    await Promise.all(all.map((account) => accounts.insert(account)))
    const results = await Promise.allSettled(
      all.map((account, i) => accounts.write(write(account, i === 4 ? set : { displayName: 'hit', generation: 2 }))),
    )
    expect(results[4]).toMatchObject({ status: 'rejected', reason: { code: 'INTERNAL' } })
    for (const [i, account] of all.entries()) {
      if (i !== 4) expect(results[i]).toEqual({ status: 'fulfilled', value: true })
      const expected = i === 4 ? account : { ...account, displayName: 'hit', generation: 2 }
      expect(await accounts.get(account.id)).toStrictEqual(expected)
    }
  })
})
