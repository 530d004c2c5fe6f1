import { makeId } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import { AT, buildAccount, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

export function outboxTests(open: OpenFixture): void {
  test('exactly the named items are pulled; the others keep their order and content', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const choice = fc.array(fc.tuple(fc.boolean(), fc.string({ unit: 'grapheme' })), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(choice, async (picks) => {
        const items = picks.map(([, errorMessage]) => buildLogItem({ errorMessage, oldExpiresAt: null }))
        const account = buildAccount({ outbox: items })
        await accounts.insert(account)
        const pulled = items.filter((_, i) => picks[i]![0]).map(({ id }) => id)
        await accounts.pull(account.id, [...pulled, 'not-there'])
        const outbox = items.filter(({ id }) => !pulled.includes(id))
        expect(await accounts.get(account.id)).toStrictEqual({ ...account, outbox })
      }),
      { numRuns: 40 },
    )
  })

  test('what is pushed while another pulls is neither lost nor pulled', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const first = Array.from({ length: 5 }, () => buildLogItem())
    const later = Array.from({ length: 5 }, () => buildLogItem())
    const account = buildAccount({ outbox: first })
    await fixture.store.accounts.insert(account)
    await Promise.all([
      ...first.map(({ id }) => second.accounts.pull(account.id, [id])),
      ...later.map((item) =>
        fixture.store.accounts.write({ name: 'x', accountId: account.id, when: {}, change: { tell: [item] } }),
      ),
    ])
    const { outbox } = (await fixture.store.accounts.get(account.id))!
    expect(outbox.map(({ id }) => id).toSorted()).toEqual(later.map(({ id }) => id).toSorted())
  })

  test('pulling from an account that is gone, or nothing, does nothing, and tells whether there is an account', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount({ outbox: [buildLogItem()] })
    await accounts.insert(account)
    expect(await accounts.pull(makeId(), ['x'])).toBe(false)
    expect(await accounts.pull(account.id, [])).toBe(true)
    expect(await accounts.get(account.id)).toStrictEqual(account)
  })

  test('of many that pull at once, each is told that the account is there', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const { accounts } = fixture.store
    const all = Array.from({ length: 20 }, () => buildAccount({ outbox: [buildLogItem()] }))
    await Promise.all(all.map((account) => accounts.insert(account)))
    const pull = ({ id, outbox }: (typeof all)[number], i: number) =>
      (i % 2 ? second.accounts : accounts).pull(
        id,
        outbox.map((item) => item.id),
      )
    const told = await Promise.all([...all, ...all, ...all, buildAccount()].map(pull))
    expect(told).toEqual([...Array(60).fill(true), false])
  })

  test('all kinds of items survive the way', async () => {
    await using fixture = await open()
    const account = buildAccount()
    const event = { id: makeId(), accountId: account.id, type: 'account.revived', reason: null, at: AT } as const
    const audit = {
      id: makeId(),
      accountId: account.id,
      action: 'account.paused',
      actor: 'cli',
      detail: null,
      at: AT,
    } as const
    const tell = [
      buildLogItem(),
      { kind: 'event', id: event.id, entry: event },
      { kind: 'audit', id: audit.id, entry: audit },
    ] as const
    await fixture.store.accounts.insert(account)
    await fixture.store.accounts.write({ name: 'x', accountId: account.id, when: {}, change: { tell } })
    expect((await fixture.store.accounts.get(account.id))?.outbox).toStrictEqual(tell)
  })

  test('withOutbox pages through those that have something to tell', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const telling: string[] = []
    for (let i = 0; i < 9; i++) {
      const account = buildAccount({ outbox: i % 2 ? [buildLogItem()] : [], status: i === 3 ? 'removing' : 'paused' })
      await accounts.insert(account)
      if (i % 2) telling.push(account.id)
    }
    expect(await allWithOutbox(fixture.store)).toEqual(telling.toSorted())
    const [first] = telling
    const { outbox } = (await accounts.get(first!))!
    await accounts.pull(
      first!,
      outbox.map(({ id }) => id),
    )
    expect(await allWithOutbox(fixture.store)).toEqual(telling.slice(1).toSorted())
  })
}

async function allWithOutbox(store: Store): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const page = await store.accounts.withOutbox({ afterId: ids.at(-1) ?? null, limit: 2 })
    ids.push(...page)
    if (page.length < 2) return ids
  }
}
