import { expect, test } from 'vitest'
import { buildAccount, buildLogEntry, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function batchingTests(open: OpenFixture): void {
  test('many writes at once on different accounts each get their own result', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const all = Array.from({ length: 700 }, (_, i) => buildAccount({ generation: i % 3 }))
    await Promise.all(all.map((account) => accounts.insert(account)))
    const results = await Promise.all(
      all.map(({ id: accountId }) =>
        accounts.write({ name: 'commit', accountId, when: { generation: 1 }, change: { set: { displayName: 'hit' } } }),
      ),
    )
    for (const [i, account] of all.entries()) {
      const hit = (await accounts.get(account.id))?.displayName === 'hit'
      expect(hit).toBe(account.generation === 1)
      if (results[i]) expect(hit).toBe(true) // false may also mean unknown
    }
  })

  test('many writes at once on one account all happen, in the order in which they were asked for', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    const items = Array.from({ length: 40 }, () => buildLogItem())
    const results = await Promise.all(
      items.map((item, i) =>
        accounts.write({
          name: 'step',
          accountId: account.id,
          when: { generation: 1 + i },
          change: { set: { generation: 2 + i }, tell: [item] },
        }),
      ),
    )
    expect(results.every(Boolean)).toBe(true)
    expect(await accounts.get(account.id)).toStrictEqual({ ...account, generation: 41, outbox: items })
  })

  test('what fails in a batch spoils nothing else in it', async () => {
    await using fixture = await open()
    const { accounts, log } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    const entry = buildLogEntry()
    const other = buildAccount()
    const [rejected] = await Promise.allSettled([
      accounts.insert(buildAccount({ externalId: account.externalId })),
      accounts.insert(other),
      accounts.write({ name: 'x', accountId: account.id, when: {}, change: { set: { displayName: 'hit' } } }),
      accounts.write({ name: 'x', accountId: other.id, when: { generation: 99 }, change: {} }),
      log.put([entry]),
    ])
    expect(rejected).toMatchObject({ reason: { code: 'ACCOUNT_EXISTS' } })
    expect((await accounts.get(account.id))?.displayName).toBe('hit')
    expect(await accounts.get(other.id)).toStrictEqual(other)
    expect(await log.get(entry.id)).toStrictEqual(entry)
  })
}
