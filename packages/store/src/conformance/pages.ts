import { makeId, type Page, pageIdOf } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import { AT, buildPage } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

/** Each field that a change may move, with a value that no built Page has. */
const MOVED: Omit<Page, 'id' | 'accountId' | 'externalId'> = {
  name: '$name "Zoë" \\ 🦋',
  sealedToken: 'v1.key-2.token',
  keyId: 'key-2',
  tokenExpiresAt: AT + 1,
  tasks: ['$MANAGE', 'a'],
  instagramBusinessAccountId: '17841400000000001',
  status: 'lost',
  statusReason: 'META_PAGE_LOST',
  missingCount: 7,
  lastMissedAt: AT + 2,
  parentGeneration: 3,
  refreshedAt: AT + 3,
}

export function pageTests(open: OpenFixture): void {
  test('a Page is read back exactly, also through another handle', async () => {
    await using fixture = await open()
    const second = (await fixture.openSecond()).pages
    const { pages } = fixture.store
    const full = buildPage(MOVED)
    const bare = buildPage({ sealedToken: null, keyId: null, tasks: [], status: 'needs_permission', refreshedAt: null })
    expect(await pages.put([full, bare])).toEqual(new Set([full.id, bare.id]))
    expect(await second.get(full.id)).toStrictEqual(full)
    expect(await second.get(bare.id)).toStrictEqual(bare)
    expect(await second.get(makeId())).toBeNull()
    expect(await pages.put([])).toEqual(new Set())
    expect(await pages.update([])).toEqual(new Set())
  })

  test.each<[string, Partial<Page>, Partial<Page>, lands: boolean]>([
    [
      'an older generation',
      { parentGeneration: 2, refreshedAt: AT },
      { parentGeneration: 3, refreshedAt: AT - 9 },
      true,
    ],
    [
      'a newer generation',
      { parentGeneration: 3, refreshedAt: AT - 9 },
      { parentGeneration: 2, refreshedAt: AT },
      false,
    ],
    ['an earlier listing', { refreshedAt: AT }, { refreshedAt: AT + 1 }, true],
    ['the same listing', { refreshedAt: AT }, { refreshedAt: AT }, true],
    ['a later listing', { refreshedAt: AT + 1 }, { refreshedAt: AT }, false],
    ['a listing of unknown time', { refreshedAt: null }, { refreshedAt: AT }, true],
    ['one of unknown time by another', { refreshedAt: null }, { refreshedAt: null }, true],
    ['a known time by an unknown one', { refreshedAt: AT }, { refreshedAt: null }, false],
  ])('put over %s', async (_, stands, listed, lands) => {
    await using fixture = await open()
    const { pages } = fixture.store
    const there = buildPage({ ...stands, name: 'there' })
    const page = { ...there, ...listed, name: 'listed' }
    await pages.put([there])
    expect(await pages.put([page])).toEqual(new Set(lands ? [page.id] : []))
    expect(await pages.get(page.id)).toStrictEqual(lands ? page : there)
  })

  test('puts in any order, repeated and at once through two handles, leave the latest listing', async () => {
    await using fixture = await open()
    const handles = [fixture.store.pages, (await fixture.openSecond()).pages]
    const version = fc.record({ parentGeneration: fc.integer({ min: 1, max: 3 }), refreshedAt: fc.nat(3) })
    const versions = fc.array(version, { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(versions, { minLength: 1, maxLength: 3 }), async (stories) => {
        const some = stories.map(() => buildPage())
        const puts = stories.flatMap((story, i) =>
          story.map((one) => ({ ...some[i]!, ...one, name: `${one.parentGeneration} ${one.refreshedAt}` })),
        )
        await Promise.all(puts.map((page, i) => handles[i % 2]!.put([page])))
        await handles[0]!.put(puts)
        for (const [i, { id }] of some.entries()) {
          const latest = stories[i]!.toSorted(inOrder).at(-1)!
          expect(await handles[1]!.get(id)).toStrictEqual(puts.find((put) => put.id === id && isSame(put, latest)))
        }
      }),
      { numRuns: 25 },
    )
  })

  test('an update lands only on what is exactly as it was read', async () => {
    await using fixture = await open()
    const { pages } = fixture.store
    const page = buildPage()
    await pages.put([page])
    const change = { from: page, to: { ...page, name: 'changed' } }
    for (const [field, value] of Object.entries(MOVED)) {
      const other = { ...page, [field]: value }
      expect(await pages.update([{ ...change, from: other }])).toEqual(new Set())
      expect(await pages.update([{ from: page, to: other }])).toEqual(new Set([page.id]))
      expect(await pages.get(page.id)).toStrictEqual(other)
      expect(await pages.update([change])).toEqual(new Set())
      expect(await pages.update([{ from: other, to: page }])).toEqual(new Set([page.id]))
    }
    expect(await pages.get(page.id)).toStrictEqual(page)
    // One whose acknowledgement was lost, done again, is told that it did not land; what it wrote stands.
    expect(await pages.update([change])).toEqual(new Set([page.id]))
    expect(await pages.update([change])).toEqual(new Set())
    expect(await pages.get(page.id)).toStrictEqual(change.to)
    const absent = buildPage()
    expect(await pages.update([{ from: absent, to: absent }])).toEqual(new Set())
    expect(await pages.get(absent.id)).toBeNull()
  })

  test('of many updates of one Page at once, through two handles, exactly one lands and is told so', async () => {
    await using fixture = await open()
    const handles = [fixture.store.pages, (await fixture.openSecond()).pages]
    for (let round = 0; round < 10; round++) {
      const page = buildPage()
      await handles[0]!.put([page])
      const rivals = Array.from({ length: 8 }, (_, i) => ({ ...page, missingCount: 1, name: `rival ${i}` }))
      const landed = await Promise.all(rivals.map((to, i) => handles[i % 2]!.update([{ from: page, to }])))
      expect(landed.filter(({ size }) => size > 0)).toHaveLength(1)
      const winner = landed.findIndex(({ size }) => size > 0)
      expect(await handles[1]!.get(page.id)).toStrictEqual(rivals[winner])
    }
  })

  test('a newer listing is never lost to an update that read before it', async () => {
    await using fixture = await open()
    const handles = [fixture.store.pages, (await fixture.openSecond()).pages]
    const all = Array.from({ length: 30 }, () => buildPage())
    await handles[0]!.put(all)
    const listed = all.map((page) => ({ ...page, parentGeneration: 2, sealedToken: `v1.key-1.newer-of-${page.id}` }))
    await Promise.all([
      ...all.map((page) =>
        handles[0]!.update([{ from: page, to: { ...page, sealedToken: 'resealed', keyId: 'key-2' } }]),
      ),
      ...listed.map((page) => handles[1]!.put([page])),
    ])
    for (const page of listed) expect(await handles[0]!.get(page.id)).toStrictEqual(page)
  })

  test('hundreds at once: each by itself lands or not', async () => {
    await using fixture = await open()
    const { pages } = fixture.store
    const accountId = makeId()
    const there = Array.from({ length: 700 }, (_, i) => buildPage({ accountId, parentGeneration: 1 + (i % 3) }))
    expect((await pages.put(there)).size).toBe(700)
    const fresh = Array.from({ length: 50 }, () => buildPage({ accountId, parentGeneration: 2 }))
    const listed = [...there.map((page) => ({ ...page, parentGeneration: 2, name: 'listed' })), ...fresh]
    const landed = await pages.put(listed)
    const wins = (i: number) => i >= 700 || i % 3 < 2
    for (const [i, { id }] of listed.entries()) if (!wins(i)) expect(landed.has(id)).toBe(false)
    expect(landed.size).toBe(listed.filter((_, i) => wins(i)).length)
    const stands = await allOf(fixture.store, accountId, 300)
    expect(stands).toStrictEqual(listed.map((page, i) => (wins(i) ? page : there[i]!)).toSorted(byId))

    const updated = await pages.update(
      stands.map((page, i) => ({ from: i % 2 ? page : { ...page, name: 'x' }, to: page })),
    )
    expect([...updated].toSorted()).toEqual(stands.filter((_, i) => i % 2).map(({ id }) => id))
  })

  test('one account has a Page once', async () => {
    await using fixture = await open()
    const { pages } = fixture.store
    const page = buildPage()
    const [rival, elsewhere] = [{ ...page, id: makeId() }, buildPage({ externalId: page.externalId })]
    await pages.put([page])
    expect(await pages.put([rival, elsewhere])).toEqual(new Set([elsewhere.id]))
    expect(await allOf(fixture.store, page.accountId)).toStrictEqual([page])
    expect(pageIdOf(page.accountId, page.externalId)).toBe(page.id)
  })

  test('the Pages of an account, by their ids, until they are removed', async () => {
    await using fixture = await open()
    const { pages } = fixture.store
    const [one, two] = [makeId(), makeId()]
    const all = Array.from({ length: 9 }, (_, i) => buildPage({ accountId: i % 3 ? one : two })).toSorted(byId)
    const of = (wanted: string) => all.filter(({ accountId }) => accountId === wanted)
    await pages.put(all)
    expect(await allOf(fixture.store, one)).toStrictEqual(of(one))
    expect(await allOf(fixture.store, makeId())).toEqual([])
    await pages.removeAccount(one)
    await pages.removeAccount(one)
    expect(await allOf(fixture.store, one)).toEqual([])
    expect(await allOf(fixture.store, two)).toStrictEqual(of(two))
  })

  test('countKeys counts the tokens that each key seals', async () => {
    await using fixture = await open()
    const { pages } = fixture.store
    const without = buildPage({ keyId: null, sealedToken: null })
    await pages.put([buildPage({ keyId: 'k2' }), buildPage({ keyId: 'k1' }), buildPage({ keyId: 'k2' }), without])
    expect(await pages.countKeys()).toEqual([
      { keyId: 'k1', pages: 1 },
      { keyId: 'k2', pages: 2 },
    ])
  })
}

async function allOf({ pages }: Store, accountId: string, limit = 4): Promise<Page[]> {
  const found: Page[] = []
  for (;;) {
    const some = await pages.ofAccount(accountId, { afterId: found.at(-1)?.id ?? null, limit })
    found.push(...some)
    if (some.length < limit) return found
  }
}

type Version = Pick<Page, 'parentGeneration'> & { readonly refreshedAt: number }

function inOrder(a: Version, b: Version): number {
  return a.parentGeneration - b.parentGeneration || a.refreshedAt - b.refreshedAt
}

function isSame(page: Page, version: Version): boolean {
  return page.parentGeneration === version.parentGeneration && page.refreshedAt === version.refreshedAt
}

function byId(a: Page, b: Page): number {
  return a.id < b.id ? -1 : 1
}
