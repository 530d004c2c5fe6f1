import { expect, test } from 'vitest'
import { buildAccount, buildLogEntry } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function lifeTests(open: OpenFixture): void {
  test('ping', async () => {
    await using fixture = await open()
    await fixture.store.ping()
    await fixture.store.ping()
  })

  test('another handle sees what was acknowledged', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    expect(await second.accounts.get(account.id)).toStrictEqual(account)
    await second.accounts.write({ name: 'x', accountId: account.id, when: {}, change: { set: { generation: 2 } } })
    expect((await fixture.store.accounts.get(account.id))?.generation).toBe(2)
  })

  test('closing lets the writes under way arrive and refuses later calls', async () => {
    await using fixture = await open()
    const store = await fixture.openSecond()
    const accounts = Array.from({ length: 20 }, () => buildAccount())
    const inserted = Promise.all(accounts.map((account) => store.accounts.insert(account)))
    await store[Symbol.asyncDispose]()
    await inserted
    expect(await fixture.store.accounts.count({})).toBe(20)
    const [account] = accounts
    const refused = { code: 'STORE_UNAVAILABLE' }
    await expect(store.ping()).rejects.toMatchObject(refused)
    await expect(store.accounts.get(account!.id)).rejects.toMatchObject(refused)
    await expect(store.log.put([buildLogEntry()])).rejects.toMatchObject(refused)
    const write = { name: 'x', accountId: account!.id, when: {}, change: {} }
    await expect(store.accounts.write(write)).rejects.toMatchObject(refused)
    await store[Symbol.asyncDispose]()
  })
}
