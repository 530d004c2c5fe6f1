import { type AttemptOutcome, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { AT, buildLogEntry } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const RANKS: Record<AttemptOutcome, number> = {
  refreshed: 2,
  failed: 1,
  ambiguous: 1,
  held: 1,
  dead: 1,
  needs_action: 1,
  interrupted: 0,
  superseded: 0,
  removed: 0,
}
const OUTCOMES = Object.keys(RANKS) as AttemptOutcome[]

export function logTests(open: OpenFixture): void {
  test('an entry is read back exactly', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    const full = buildLogEntry({
      pageId: 'page',
      outcome: 'failed',
      success: false,
      errorClass: 'transient',
      errorCode: 'PROVIDER_TIMEOUT',
      errorMessage: 'The provider did not answer in time.',
    })
    const bare = buildLogEntry({ oldExpiresAt: null, newExpiresAt: null })
    await log.put([full, bare])
    expect(await log.get(full.id)).toStrictEqual(full)
    expect(await log.get(bare.id)).toStrictEqual(bare)
    expect(await log.get(makeId())).toBeNull()
    await log.put([])
  })

  test('only a stronger outcome of the same attempt replaces one', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    for (const first of OUTCOMES) {
      for (const second of OUTCOMES) {
        const one = buildLogEntry({ outcome: first, success: first === 'refreshed', workerId: 'one' })
        const two = { ...one, outcome: second, success: second === 'refreshed', workerId: 'two', durationMs: 99 }
        await log.put([one])
        await log.put([two])
        expect(await log.get(one.id)).toStrictEqual(RANKS[second] > RANKS[first] ? two : one)
      }
    }
  })

  test('entries of one attempt in one call, and from two handles at once, leave the strongest, once', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    const accountId = makeId()
    const interrupted = buildLogEntry({ accountId, outcome: 'interrupted', success: false })
    const refreshed = { ...interrupted, outcome: 'refreshed', success: true } as const
    await fixture.store.log.put([interrupted, refreshed, interrupted])
    const rival = { ...interrupted, id: makeId() }
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? second : fixture.store).log.put([i === 5 ? { ...rival, outcome: 'refreshed', success: true } : rival]),
      ),
    )
    const listed = await second.log.list({ accountId, limit: 9 })
    expect(listed.map(({ outcome }) => outcome)).toEqual(['refreshed', 'refreshed'])
  })

  test('list is newest first, by account and by success', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    const [one, two] = [makeId(), makeId()]
    const entries = Array.from({ length: 8 }, (_, i) =>
      buildLogEntry({ accountId: i % 2 ? one : two, success: i % 3 === 0, refreshedAt: AT + ((i * 5) % 8) }),
    )
    await log.put(entries)
    const newestFirst = entries.toSorted((a, b) => b.refreshedAt - a.refreshedAt)
    expect(await log.list({ limit: 100 })).toStrictEqual(newestFirst)
    expect(await log.list({ limit: 3 })).toStrictEqual(newestFirst.slice(0, 3))
    expect(await log.list({ accountId: one, limit: 100 })).toStrictEqual(
      newestFirst.filter(({ accountId }) => accountId === one),
    )
    for (const wanted of [true, false]) {
      expect(await log.list({ accountId: one, success: wanted, limit: 100 })).toStrictEqual(
        newestFirst.filter(({ accountId, success }) => accountId === one && success === wanted),
      )
      expect(await log.list({ success: wanted, limit: 100 })).toStrictEqual(
        newestFirst.filter(({ success }) => success === wanted),
      )
    }
  })

  test('removeAccount removes the entries of one account', async () => {
    await using fixture = await open()
    const { log } = fixture.store
    const kept = buildLogEntry()
    const gone = buildLogEntry()
    await log.put([kept, gone, { ...gone, id: makeId() }])
    await log.removeAccount(gone.accountId)
    expect(await log.list({ limit: 9 })).toStrictEqual([kept])
  })
}
