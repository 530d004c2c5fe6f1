import { isDeepStrictEqual } from 'node:util'
import type { Account } from '@tokenkeeper/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../store.ts'
import type { AccountWrite, Change, Condition } from '../write.ts'
import { AT, buildAccount, buildAttempt, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'
import { applyToModel } from './model.ts'

type Write = Omit<AccountWrite, 'accountId'>

// Small domains, so that conditions hold about as often as not.
const generation = fc.integer({ min: 1, max: 3 })
const attemptId = fc.constantFrom('attempt-1', 'attempt-2')
const text = fc.constantFrom('one', 'two')
const lease = fc.constantFrom(AT, AT + 1)
const state = fc.constantFrom('live', 'released', 'held')
const status = fc.constantFrom('active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined', 'removing')
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const attempt = fc
  .record({ id: attemptId, state, leaseUntil: lease })
  .map((parts) => buildAttempt({ ...parts, notBefore: AT }))

const condition: fc.Arbitrary<Condition> = fc.record(
  {
    generation,
    generationBelow: generation,
    attemptId: nullable(attemptId),
    attemptState: state,
    attemptLeaseUntil: lease,
    statusIn: fc.uniqueArray(status),
    statusNot: status,
    connectId: text,
    connectIdNot: text,
    sealedCredential: text,
    previousCredential: nullable(text),
    pagesDueAt: nullable(lease),
  },
  { requiredKeys: [] },
)

/** At most two of the condition's terms, else hardly one would ever hold. */
const likelyCondition: fc.Arbitrary<Condition> = fc.tuple(condition, fc.nat(), fc.nat()).map(([all, ...picks]) => {
  const entries = Object.entries(all)
  return Object.fromEntries(picks.flatMap((pick) => (entries.length > 0 ? [entries[pick % entries.length]!] : [])))
})

const set = fc.record(
  {
    generation,
    sealedCredential: text,
    keyId: text,
    connectId: text,
    nextRefreshAt: lease,
    pagesDueAt: nullable(lease),
    failure: fc.constant(null),
    scopes: fc.array(text, { maxLength: 2 }),
  },
  { requiredKeys: [] },
)

// A write renews a lease or sets the attempt, and keeps the previous credential or sets it, never both.
const change: fc.Arbitrary<Change> = fc
  .record({
    set,
    attempt: fc.option(fc.oneof(attempt, fc.constant(null)), { nil: undefined }),
    leaseUntil: fc.option(lease, { nil: undefined }),
    status: fc.option(fc.dictionary(status, status, { maxKeys: 2 }), { nil: undefined }),
    keepPrevious: fc.boolean(),
    items: fc.nat({ max: 2 }),
  })
  .map(({ set, attempt, leaseUntil, status, keepPrevious, items }) => ({
    set: { ...set, ...(attempt !== undefined && { attempt }) },
    ...(attempt === undefined && leaseUntil !== undefined && { leaseUntil }),
    ...(status && { status }),
    keepPrevious,
    tell: Array.from({ length: items }, () => buildLogItem()),
  }))

const write: fc.Arbitrary<Write> = fc.record({
  name: fc.constantFrom('begin', 'commit', 'release'),
  when: likelyCondition,
  change,
})

const start: fc.Arbitrary<Partial<Account>> = fc.record({
  generation,
  status,
  attempt: nullable(attempt),
  sealedCredential: text,
  previousCredential: nullable(text),
  connectId: text,
  pagesDueAt: nullable(lease),
})

export function lostUpdateTests(open: OpenFixture): void {
  test('writes one after another do what the model does', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    await fc.assert(
      fc.asyncProperty(start, fc.array(write, { maxLength: 8 }), async (overrides, writes) => {
        let model = buildAccount(overrides)
        await accounts.insert(model)
        for (const one of writes) {
          const next = applyToModel(model, { ...one, accountId: model.id })
          expect(await accounts.write({ ...one, accountId: model.id })).toBe(next !== null)
          model = next ?? model
          expect(await accounts.get(model.id)).toStrictEqual(model)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('writes all at once, through two handles, end as they would in some order', async () => {
    await using fixture = await open()
    const handles = [fixture.store, await fixture.openSecond()]
    const story = fc.tuple(start, fc.array(write, { minLength: 2, maxLength: 4 }))
    await fc.assert(
      fc.asyncProperty(fc.array(story, { minLength: 1, maxLength: 3 }), async (stories) => {
        const accounts = stories.map(([overrides]) => buildAccount(overrides))
        await Promise.all(accounts.map((account) => fixture.store.accounts.insert(account)))
        const results = await Promise.all(
          stories.map(([, writes], i) =>
            Promise.all(writes.map((one, k) => handles[k % 2]!.accounts.write({ ...one, accountId: accounts[i]!.id }))),
          ),
        )
        for (const [i, account] of accounts.entries()) {
          const final = await fixture.store.accounts.get(account.id)
          expect(explains(account, stories[i]![1], results[i]!, final!)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('increments by compare-and-set, through two handles, all count', async () => {
    await using fixture = await open()
    const handles = [fixture.store, await fixture.openSecond()]
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    const told = await Promise.all(Array.from({ length: 6 }, (_, i) => incrementing(handles[i % 2]!, account.id, 8)))
    const final = await fixture.store.accounts.get(account.id)
    const ids = final!.outbox.map(({ id }) => id)
    expect(final!.generation).toBe(1 + ids.length)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(told.flat()))
    expect(told.flat().length).toBeGreaterThan(0)
  })
}

/** Reads and increments so many times, without minding a loss; returns what surely arrived. */
async function incrementing(store: Store, accountId: string, times: number): Promise<string[]> {
  const arrived: string[] = []
  for (let i = 0; i < times; i++) {
    const { generation } = (await store.accounts.get(accountId))!
    const item = buildLogItem()
    const change = { set: { generation: generation + 1 }, tell: [item] }
    if (await store.accounts.write({ name: 'increment', accountId, when: { generation }, change }))
      arrived.push(item.id)
  }
  return arrived
}

/** Is there an order of the writes that leads to this end and in which every write that was told true matched? */
function explains(account: Account, writes: readonly Write[], results: readonly boolean[], final: Account): boolean {
  return permutations(writes.map((_, i) => i)).some((order) => {
    let state = account
    for (const i of order) {
      const next = applyToModel(state, { ...writes[i]!, accountId: account.id })
      if (results[i] && next === null) return false
      state = next ?? state
    }
    return isDeepStrictEqual(state, final)
  })
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}
