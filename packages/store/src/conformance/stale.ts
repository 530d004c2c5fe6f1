import type { Account, Attempt } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { AT, buildAccount, buildAttempt } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const NEVER = AT + 1_000_000

/** Attempts that may be taken over at AT, and some that may not. */
const LAPSED = buildAttempt({ state: 'live', leaseUntil: AT, notBefore: NEVER })
const READY = buildAttempt({ state: 'released', notBefore: AT, leaseUntil: NEVER })
const RIPE = buildAttempt({ state: 'held', notBefore: AT, leaseUntil: NEVER })
const NOT_YET: Attempt[] = [
  { ...LAPSED, leaseUntil: AT + 1, notBefore: AT - 1 },
  { ...READY, notBefore: AT + 1, leaseUntil: AT - 1 },
  { ...RIPE, notBefore: AT + 1, leaseUntil: AT - 1 },
]

export function staleTests(open: OpenFixture): void {
  const staleAmong = async (some: readonly Partial<Account>[]) => {
    await using fixture = await open()
    const accounts = some.map((overrides) => buildAccount(overrides))
    for (const account of accounts) await fixture.store.accounts.insert(account)
    const found = await fixture.store.accounts.stale({ now: AT, limit: 100 })
    return accounts.map(({ id }) => found.some((stale) => stale.id === id))
  }

  test('live past the lease, released and held past notBefore', async () => {
    const attempts = [LAPSED, READY, RIPE, ...NOT_YET, null]
    expect(await staleAmong(attempts.map((attempt) => ({ attempt })))).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
    ])
  })

  test('whatever the status, but for quarantined and removing', async () => {
    const statuses = ['active', 'paused', 'needs_action', 'needs_reconnect', 'quarantined', 'removing'] as const
    expect(await staleAmong(statuses.map((status) => ({ status, attempt: LAPSED })))).toEqual([
      ...[true, true, true, true],
      ...[false, false],
    ])
  })

  test('the longest waiting first, up to the limit, with what a job needs', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const late = buildAccount({ attempt: { ...LAPSED, leaseUntil: AT - 1 } })
    const later = buildAccount({ attempt: { ...RIPE, notBefore: AT - 2 } })
    const latest = buildAccount({ attempt: { ...READY, notBefore: AT - 3 } })
    for (const account of [late, later, latest]) await accounts.insert(account)
    const { id, platform, serviceUrl, nextRefreshAt, diesAt } = latest
    const found = await accounts.stale({ now: AT, limit: 2 })
    expect(found[0]).toStrictEqual({ id, platform, serviceUrl, nextRefreshAt, diesAt })
    expect(found.map((stale) => stale.id)).toEqual([latest.id, later.id])
  })

  test('a renewed lease and an ended attempt are no longer stale', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const renewed = buildAccount({ attempt: LAPSED })
    const ended = buildAccount({ attempt: LAPSED })
    for (const account of [renewed, ended]) await accounts.insert(account)
    expect(await accounts.stale({ now: AT, limit: 9 })).toHaveLength(2)
    await accounts.write({ name: 'renew', accountId: renewed.id, when: {}, change: { leaseUntil: AT + 1 } })
    await accounts.write({ name: 'fail', accountId: ended.id, when: {}, change: { set: { attempt: null } } })
    expect(await accounts.stale({ now: AT, limit: 9 })).toEqual([])
    expect(await accounts.stale({ now: AT + 1, limit: 9 })).toHaveLength(1)
  })
}
