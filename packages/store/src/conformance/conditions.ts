import { type Account, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { AccountWrite, Condition } from '../write.ts'
import { AT, buildAccount, buildAttempt } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const attempt = buildAttempt({ id: 'attempt-1', leaseUntil: AT })

/** A condition, an account on which it holds and one on which it does not. */
const CASES: readonly [name: string, when: Condition, on: Partial<Account>, notOn: Partial<Account>][] = [
  ['generation', { generation: 2 }, { generation: 2 }, { generation: 3 }],
  ['generationBelow', { generationBelow: 3 }, { generation: 2 }, { generation: 3 }],
  ['attemptId', { attemptId: 'attempt-1' }, { attempt }, { attempt: { ...attempt, id: 'attempt-2' } }],
  ['attemptId where none stands', { attemptId: 'attempt-1' }, { attempt }, {}],
  ['attemptId null', { attemptId: null }, {}, { attempt }],
  ['attemptState', { attemptState: 'released' }, { attempt: { ...attempt, state: 'released' } }, { attempt }],
  ['attemptState where none stands', { attemptState: 'live' }, { attempt }, {}],
  ['attemptLeaseUntil', { attemptLeaseUntil: AT }, { attempt }, { attempt: { ...attempt, leaseUntil: AT + 1 } }],
  ['attemptLeaseUntil where none stands', { attemptLeaseUntil: AT }, { attempt }, {}],
  ['statusIn', { statusIn: ['active', 'needs_action'] }, { status: 'needs_action' }, { status: 'paused' }],
  ['statusNot', { statusNot: 'removing' }, { status: 'paused' }, { status: 'removing' }],
  ['connectId', { connectId: 'c1' }, { connectId: 'c1' }, { connectId: 'c2' }],
  ['connectIdNot', { connectIdNot: 'c1' }, { connectId: 'c2' }, { connectId: 'c1' }],
  ['sealedCredential', { sealedCredential: 's1' }, { sealedCredential: 's1' }, { sealedCredential: 's2' }],
  ['previousCredential', { previousCredential: 'p1' }, { previousCredential: 'p1' }, { previousCredential: 'p2' }],
  ['previousCredential where none is', { previousCredential: 'p1' }, { previousCredential: 'p1' }, {}],
  ['previousCredential null', { previousCredential: null }, {}, { previousCredential: 'p1' }],
  ['pagesDueAt', { pagesDueAt: AT }, { pagesDueAt: AT }, { pagesDueAt: AT + 1 }],
  ['pagesDueAt where none is', { pagesDueAt: AT }, { pagesDueAt: AT }, {}],
  ['pagesDueAt null', { pagesDueAt: null }, {}, { pagesDueAt: AT }],
]

export function conditionTests(open: OpenFixture): void {
  for (const [name, when, on, notOn] of CASES) {
    test(name, async () => {
      await using fixture = await open()
      const { accounts } = fixture.store
      const matching = buildAccount(on)
      const other = buildAccount(notOn)
      await accounts.insert(matching)
      await accounts.insert(other)

      expect(await accounts.write(rename(matching.id, when))).toBe(true)
      expect(await accounts.get(matching.id)).toStrictEqual({ ...matching, displayName: 'renamed' })
      expect(await accounts.write(rename(other.id, when))).toBe(false)
      expect(await accounts.get(other.id)).toStrictEqual(other)
    })
  }

  test('no condition always holds, an empty list of statuses never', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    expect(await accounts.write(rename(account.id, { statusIn: [] }))).toBe(false)
    expect(await accounts.write(rename(account.id, {}))).toBe(true)
  })

  test('all that are named must hold', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount({ generation: 2, attempt, previousCredential: 'p1', connectId: 'c1', pagesDueAt: AT })
    await accounts.insert(account)
    const all: Condition = {
      generation: 2,
      generationBelow: 3,
      attemptId: 'attempt-1',
      attemptState: 'live',
      attemptLeaseUntil: AT,
      statusIn: ['active'],
      statusNot: 'removing',
      connectId: 'c1',
      connectIdNot: 'c2',
      sealedCredential: account.sealedCredential,
      previousCredential: 'p1',
      pagesDueAt: AT,
    }
    const spoiled: Condition[] = [
      { generation: 1 },
      { generationBelow: 2 },
      { attemptId: null },
      { attemptState: 'held' },
      { attemptLeaseUntil: AT - 1 },
      { statusIn: ['paused'] },
      { statusNot: 'active' },
      { connectId: 'c2' },
      { connectIdNot: 'c1' },
      { sealedCredential: 'other' },
      { previousCredential: null },
      { pagesDueAt: null },
    ]
    for (const one of spoiled) expect(await accounts.write(rename(account.id, { ...all, ...one }))).toBe(false)
    expect(await accounts.get(account.id)).toStrictEqual(account)
    expect(await accounts.write(rename(account.id, all))).toBe(true)
  })

  test('an account that is not there matches nothing and is not made', async () => {
    await using fixture = await open()
    const id = makeId()
    expect(await fixture.store.accounts.write(rename(id, {}))).toBe(false)
    expect(await fixture.store.accounts.get(id)).toBeNull()
  })
}

function rename(accountId: string, when: Condition): AccountWrite {
  return { name: 'rename', accountId, when, change: { set: { displayName: 'renamed' } } }
}
