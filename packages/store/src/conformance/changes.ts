import { type AccountStatus, makeId } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import type { Change, Settable } from '../write.ts'
import { AT, buildAccount, buildAttempt, buildLogItem } from './build-account.ts'
import type { OpenFixture } from './fixture.ts'

const VALUES: Settable = {
  displayName: 'new name',
  statusReason: 'BLUESKY_MOVED https://new.host',
  serviceUrl: 'https://other.test',
  issuer: 'did:web:other.test',
  scopes: ['x', 'y'],
  generation: 8,
  sealedCredential: 'v1.key-2.new',
  keyId: 'key-2',
  previousCredential: 'v1.key-2.previous',
  previousKeyId: 'key-2',
  formerCredentials: [{ sealed: 'v1.key-1.former', keyId: 'key-1', until: AT + 10 }],
  connectId: 'connect-2',
  accessExpiresAt: AT + 1,
  diesAt: AT + 2,
  dataAccessExpiresAt: AT + 3,
  connectedAt: AT + 4,
  lastRefreshedAt: AT + 5,
  nextRefreshAt: AT + 6,
  snoozedAt: AT + 7,
  failure: { count: 3, class: 'dead_suspected', code: 'BLUESKY_SESSION_EXPIRED', since: AT },
  attempt: buildAttempt(),
  lastAttempt: { id: makeId(), outcome: 'held', generation: 1, at: AT },
  pagesGeneration: 7,
  pagesDueAt: AT + 9,
  ownerEmail: 'owner@example.org',
  sealedAppPassword: 'v1.key-2.password',
  appPasswordKeyId: 'key-2',
  appPasswordTriedAt: AT + 8,
}

const NULLABLE = [
  'statusReason',
  'serviceUrl',
  'issuer',
  'previousCredential',
  'previousKeyId',
  'accessExpiresAt',
  'diesAt',
  'dataAccessExpiresAt',
  'lastRefreshedAt',
  'snoozedAt',
  'failure',
  'attempt',
  'lastAttempt',
  'pagesDueAt',
  'ownerEmail',
  'sealedAppPassword',
  'appPasswordKeyId',
  'appPasswordTriedAt',
] as const satisfies readonly (keyof Settable)[]

export function changeTests(open: OpenFixture): void {
  test('each field alone is set, and nothing else', async () => {
    await using fixture = await open()
    for (const [field, value] of Object.entries(VALUES)) {
      const account = buildAccount()
      await fixture.store.accounts.insert(account)
      const set = { [field]: value }
      expect(await fixture.store.accounts.write(unconditional(account.id, { set }))).toBe(true)
      expect(await fixture.store.accounts.get(account.id)).toStrictEqual({ ...account, ...set })
    }
  })

  test('all fields at once are set, and cleared', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount()
    await accounts.insert(account)
    await accounts.write(unconditional(account.id, { set: VALUES }))
    expect(await accounts.get(account.id)).toStrictEqual({ ...account, ...VALUES })
    const cleared = Object.fromEntries(NULLABLE.map((field) => [field, null]))
    await accounts.write(unconditional(account.id, { set: cleared }))
    expect(await accounts.get(account.id)).toStrictEqual({ ...account, ...VALUES, ...cleared })
  })

  test('no change matches and changes nothing', async () => {
    await using fixture = await open()
    const account = buildAccount()
    await fixture.store.accounts.insert(account)
    for (const change of [{}, { set: {} }, { status: {} }, { tell: [] }, { keepPrevious: false }]) {
      expect(await fixture.store.accounts.write(unconditional(account.id, change))).toBe(true)
      expect(await fixture.store.accounts.get(account.id)).toStrictEqual(account)
    }
  })

  test('a lease is renewed in the standing attempt alone', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const standing = buildAccount({ attempt: buildAttempt({ jobId: 'job', jobRun: 2 }) })
    const idle = buildAccount()
    for (const account of [standing, idle]) {
      await accounts.insert(account)
      await accounts.write(unconditional(account.id, { leaseUntil: AT + 99_000 }))
    }
    expect(await accounts.get(standing.id)).toStrictEqual({
      ...standing,
      attempt: { ...standing.attempt, leaseUntil: AT + 99_000 },
    })
    expect(await accounts.get(idle.id)).toStrictEqual(idle)
    // What was renewed compares equal to what is read.
    const compare = { ...unconditional(standing.id, {}), when: { attemptLeaseUntil: AT + 99_000 } }
    expect(await accounts.write(compare)).toBe(true)
  })

  test('the status moves by the one that stands, and others stay', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const moves = { needs_reconnect: 'active', needs_action: 'active' } as const
    const expected: Record<AccountStatus, AccountStatus> = {
      active: 'active',
      needs_action: 'active',
      needs_reconnect: 'active',
      paused: 'paused',
      quarantined: 'quarantined',
      removing: 'removing',
    }
    for (const [from, to] of Object.entries(expected)) {
      const account = buildAccount({ status: from as AccountStatus })
      await accounts.insert(account)
      expect(await accounts.write(unconditional(account.id, { status: moves }))).toBe(true)
      expect((await accounts.get(account.id))?.status).toBe(to)
    }
  })

  test('keepPrevious keeps what stood there, also when the same write sets a successor', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount({ previousCredential: 'older', previousKeyId: 'key-0' })
    await accounts.insert(account)
    const set = { sealedCredential: 'successor', keyId: 'key-2' }
    await accounts.write(unconditional(account.id, { keepPrevious: true, set }))
    expect(await accounts.get(account.id)).toStrictEqual({
      ...account,
      ...set,
      previousCredential: account.sealedCredential,
      previousKeyId: account.keyId,
    })
  })

  test('told items are appended in order', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const items = Array.from({ length: 4 }, () => buildLogItem())
    const account = buildAccount({ outbox: items.slice(0, 1) })
    await accounts.insert(account)
    await accounts.write(unconditional(account.id, { tell: items.slice(1, 3) }))
    await accounts.write(unconditional(account.id, { tell: items.slice(3) }))
    expect((await accounts.get(account.id))?.outbox).toStrictEqual(items)
  })

  test('all parts of a change happen together', async () => {
    await using fixture = await open()
    const { accounts } = fixture.store
    const account = buildAccount({ status: 'needs_action', attempt: buildAttempt() })
    await accounts.insert(account)
    const item = buildLogItem()
    const set = { attempt: null, sealedCredential: 'successor', generation: 2 }
    await accounts.write(
      unconditional(account.id, { set, keepPrevious: true, status: { needs_action: 'active' }, tell: [item] }),
    )
    expect(await accounts.get(account.id)).toStrictEqual({
      ...account,
      ...set,
      status: 'active',
      previousCredential: account.sealedCredential,
      previousKeyId: account.keyId,
      outbox: [item],
    })
  })
}

function unconditional(accountId: string, change: Change) {
  return { name: 'change', accountId, when: {}, change }
}
