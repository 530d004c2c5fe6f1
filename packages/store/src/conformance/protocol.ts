import { type Account, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { AccountWrite } from '../write.ts'
import { AT, buildAccount, buildAttempt, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

/** The compare-and-sets of docs/protocol.md, as the store must decide them. */
export function protocolTests(open: OpenFixture): void {
  test('of many begins at once, through two handles, exactly one stands', async () => {
    await using fixture = await open()
    const second = await fixture.openSecond()
    for (let round = 0; round < 10; round++) {
      const account = buildAccount()
      await fixture.store.accounts.insert(account)
      const ids = Array.from({ length: 8 }, makeId)
      const results = await Promise.all(
        ids.map((id, i) => (i % 2 ? second : fixture.store).accounts.write(begin(account, id))),
      )
      const standing = (await second.accounts.get(account.id))?.attempt?.id
      expect(ids).toContain(standing)
      // True must be the truth; false may also mean unknown.
      for (const [i, id] of ids.entries()) if (results[i]) expect(id).toBe(standing)
    }
  })

  test('begin after another one committed loses, though no attempt stands', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    expect(await accounts.write(begin(account, 'a'))).toBe(true)
    expect(await accounts.write(commit(account, 'a', 'successor-a'))).toBe(true)
    expect(await accounts.write(begin(account, 'b'))).toBe(false)
  })

  test('take-over compares the exact attempt and its lease as read', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const dead = buildAttempt({ id: 'dead', leaseUntil: AT })
    const account = buildAccount({ attempt: dead })
    await accounts.insert(account)
    const takeOver = (id: string): AccountWrite => ({
      name: 'begin',
      accountId: account.id,
      when: { generation: 1, attemptId: 'dead', attemptState: 'live', attemptLeaseUntil: AT, statusNot: 'removing' },
      change: {
        set: { attempt: buildAttempt({ id, unknownSince: AT }) },
        tell: [buildLogItem({ id: 'dead', outcome: 'interrupted' })],
      },
    })
    const renew = { name: 'renew', accountId: account.id, when: { attemptId: 'dead' }, change: { leaseUntil: AT + 1 } }
    expect(await accounts.write(renew)).toBe(true)
    expect(await accounts.write(takeOver('x'))).toBe(false) // it lives: the lease is not the one that was read
    expect(await accounts.write({ ...renew, change: { leaseUntil: AT } })).toBe(true)
    expect(await accounts.write(takeOver('y'))).toBe(true)
    expect(await accounts.write(renew)).toBe(false)
    expect((await accounts.get(account.id))?.outbox.map(({ id }) => id)).toEqual(['dead:interrupted'])
  })

  test('commit is decided by the generation, not by the attempt', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    await accounts.write(begin(account, 'late'))
    await accounts.write({ ...begin(account, 'new'), when: { generation: 1, attemptId: 'late' } })
    expect(await accounts.write(commit(account, 'late', 'from-late'))).toBe(true)
    expect(await accounts.write(commit(account, 'new', 'from-new'))).toBe(false)
    expect(await accounts.get(account.id)).toMatchObject({
      generation: 2,
      sealedCredential: 'from-late',
      previousCredential: account.sealedCredential,
      attempt: null,
      lastAttempt: { id: 'late' },
    })
  })

  test('a re-seal between begin and commit is kept as the previous credential', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    await accounts.write(begin(account, 'a'))
    expect(await accounts.write(reseal(account))).toBe(true)
    expect(await accounts.write(commit(account, 'a', 'successor'))).toBe(true)
    expect(await accounts.get(account.id)).toMatchObject({
      sealedCredential: 'successor',
      previousCredential: 'resealed',
      previousKeyId: 'key-2',
    })
  })

  test('a re-seal that read before a commit writes nothing back', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    await accounts.write(commit(account, 'a', 'successor'))
    expect(await accounts.write(reseal(account))).toBe(false)
    expect((await accounts.get(account.id))?.sealedCredential).toBe('successor')
  })

  test('a verdict that crossed a reconnect is dropped', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    await accounts.write(begin(account, 'a'))
    const reconnect: AccountWrite = {
      name: 'reconnect',
      accountId: account.id,
      when: { generation: 1, connectIdNot: 'mine', statusNot: 'removing' },
      change: { set: { generation: 2, connectId: 'mine', sealedCredential: 'fresh', attempt: null } },
    }
    expect(await accounts.write(reconnect)).toBe(true)
    expect(await accounts.write({ ...reconnect, when: { ...reconnect.when, generation: 2 } })).toBe(false)
    const dead: AccountWrite = {
      name: 'dead',
      accountId: account.id,
      when: { generation: 1, attemptId: 'a' },
      change: { set: { attempt: null }, status: { active: 'needs_reconnect' } },
    }
    expect(await accounts.write(dead)).toBe(false)
    expect(await accounts.get(account.id)).toMatchObject({ status: 'active', sealedCredential: 'fresh' })
  })

  test('a replay revives what was judged dead, leaves what is paused and never touches what is being removed', async () => {
    await using fixture = await open()
    for (const [from, to] of [
      ['needs_reconnect', 'active'],
      ['paused', 'paused'],
    ] as const) {
      const account = buildAccount({ status: from })
      await fixture.store.accounts.insert(account)
      expect(await fixture.store.accounts.write(commit(account, 'a', 'spooled'))).toBe(true)
      expect(await fixture.store.accounts.get(account.id)).toMatchObject({ status: to, sealedCredential: 'spooled' })
    }
    const removing = buildAccount({ status: 'removing' })
    await fixture.store.accounts.insert(removing)
    expect(await fixture.store.accounts.write(commit(removing, 'a', 'spooled'))).toBe(false)
    expect(await fixture.store.accounts.get(removing.id)).toStrictEqual(removing)
  })

  test('a restore goes forward only, and only into the same connection', async () => {
    await using fixture = await open()
    const account = buildAccount({ generation: 5, connectId: 'c' })
    await fixture.store.accounts.insert(account)
    const restore = (generation: number, connectId: string) =>
      fixture.store.accounts.write({
        name: 'restore',
        accountId: account.id,
        when: { generationBelow: generation, connectId },
        change: { set: { generation, sealedCredential: `journal-${generation}`, attempt: null } },
      })
    expect(await restore(5, 'c')).toBe(false)
    expect(await restore(7, 'other')).toBe(false)
    expect(await restore(7, 'c')).toBe(true)
    expect(await restore(6, 'c')).toBe(false)
    expect((await fixture.store.accounts.get(account.id))?.sealedCredential).toBe('journal-7')
  })
}

function begin(account: Account, attemptId: string): AccountWrite {
  return {
    name: 'begin',
    accountId: account.id,
    when: { generation: account.generation, attemptId: null, statusIn: ['active'] },
    change: { set: { attempt: buildAttempt({ id: attemptId }) } },
  }
}

function commit(account: Account, attemptId: string, sealedCredential: string): AccountWrite {
  const { generation } = account
  return {
    name: 'commit',
    accountId: account.id,
    when: { generation, statusNot: 'removing' },
    change: {
      set: {
        sealedCredential,
        generation: generation + 1,
        attempt: null,
        failure: null,
        lastAttempt: { id: attemptId, outcome: 'refreshed', generation, at: AT },
      },
      keepPrevious: true,
      status: { needs_reconnect: 'active', needs_action: 'active' },
      tell: [buildLogItem({ id: attemptId, accountId: account.id })],
    },
  }
}

function reseal(account: Account): AccountWrite {
  const { generation, sealedCredential, previousCredential } = account
  return {
    name: 'reseal',
    accountId: account.id,
    when: { generation, sealedCredential, previousCredential },
    change: { set: { sealedCredential: 'resealed', keyId: 'key-2' } },
  }
}
