import { join } from 'node:path'
import { type AuditEntry, GRACE_MS, idFrom, type OutboxItem } from '@tokenkeeper/core'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { AT, buildAccount, buildAttempt, buildLogItem } from '@tokenkeeper/store/build-account'
import { type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { restore, restoreLogin } from '../src/writes/restore-writes.ts'
import { buildResult } from './support/build-result.ts'
import { testWrite, type WriteCase } from './support/write-case.ts'

/** The rows of docs/protocol.md for what a journal brings back, against a real store. */

let dir: TempDir
let store: Store
beforeAll(async () => {
  dir = await tempDir()
  store = createSqliteStore({ path: join(dir.path, 'tokenkeeper.db') })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await dir[Symbol.asyncDispose]()
})

const check = (name: string, row: WriteCase) => testWrite(name, row, () => store)

const NOW = AT + 1_000
const LIVE = buildAttempt({ id: 'standing' })

/** As the backup has it: with something in every field that a write might touch. */
const account = buildAccount({
  generation: 3,
  previousCredential: 'v1.key-0.previous',
  previousKeyId: 'key-0',
  statusReason: 'AN_EARLIER_REASON',
  failure: { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT },
  lastAttempt: { id: 'earlier', outcome: 'failed', generation: 3, at: AT - 1 },
  lastRefreshedAt: AT - 2,
  snoozedAt: AT - 3,
  attempt: LIVE,
})

function ended(outcome: 'interrupted' | 'superseded'): OutboxItem {
  return buildLogItem({
    id: LIVE.id,
    accountId: account.id,
    outcome,
    success: false,
    oldExpiresAt: account.accessExpiresAt,
    newExpiresAt: null,
    generation: 3,
    tokenDigest: LIVE.presentedDigest,
    durationMs: NOW - LIVE.beganAt,
    refreshedAt: NOW,
  })
}

const NO_OLDER = {
  'the same generation stands': { generation: 7 },
  'a newer generation stands': { generation: 8 },
  'another attempt stands': { attempt: buildAttempt({ id: 'other' }) },
  'no attempt stands': { attempt: null },
}

describe('what was refreshed since the backup', () => {
  const result = buildResult({ accountId: account.id, connectId: account.connectId, generation: 6 })
  const refreshed = buildLogItem({
    id: result.attempt.id,
    accountId: account.id,
    oldExpiresAt: result.oldExpiresAt,
    newExpiresAt: result.accessExpiresAt,
    generation: 6,
    tokenDigest: result.attempt.presentedDigest,
    durationMs: result.answeredAt - result.attempt.beganAt,
    refreshedAt: result.answeredAt,
  })
  check('restore', {
    stands: account,
    write: restore(account, result, NOW),
    sets: {
      sealedCredential: result.sealed,
      keyId: result.keyId,
      previousCredential: null,
      previousKeyId: null,
      formerCredentials: [{ sealed: 'v1.key-0.previous', keyId: 'key-0', until: AT - 2 + GRACE_MS }],
      accessExpiresAt: result.accessExpiresAt,
      diesAt: result.diesAt,
      lastRefreshedAt: result.answeredAt,
      nextRefreshAt: result.nextRefreshAt,
      generation: 7,
      attempt: null,
      failure: null,
      statusReason: null,
      lastAttempt: { id: result.attempt.id, outcome: 'refreshed', generation: 6, at: NOW },
    },
    tells: [ended('interrupted'), refreshed],
    statuses: { needs_action: 'active', needs_reconnect: 'active', quarantined: 'active', removing: null },
    refuses: { ...NO_OLDER, 'another login stands': { connectId: 'other' } },
    accepts: { 'an older generation stands': [{ generation: 1 }], 'the one before stands': [{ generation: 6 }] },
  })
})

describe('a login since the backup', () => {
  const connected = buildAccount({
    id: account.id,
    generation: 7,
    connectId: 'newer',
    connectedAt: NOW,
    keyId: 'key-2',
  })
  const audit: AuditEntry = {
    id: 'audit-1',
    accountId: account.id,
    action: 'account.connected',
    actor: 'restore',
    detail: null,
    at: NOW,
  }
  const eventId = idFrom(account.id, 'account.connected', 'newer')
  const { id: _i, ownerId: _o, externalId: _e, status: _s, outbox: _x, lastAttempt: _l, ...fields } = connected
  check('restore of a login', {
    stands: account,
    write: restoreLogin(account, connected, audit),
    sets: {
      ...fields,
      formerCredentials: [{ sealed: 'v1.key-0.previous', keyId: 'key-0', until: AT - 2 + GRACE_MS }],
    },
    tells: [
      ended('superseded'),
      {
        kind: 'event',
        id: eventId,
        entry: { id: eventId, accountId: account.id, type: 'account.connected', reason: null, at: NOW },
      },
      { kind: 'audit', id: audit.id, entry: audit },
    ],
    statuses: {
      active: 'active',
      paused: 'active',
      needs_action: 'active',
      needs_reconnect: 'active',
      quarantined: 'active',
      removing: null,
    },
    refuses: { ...NO_OLDER, 'that login stands': { connectId: 'newer' } },
    accepts: { 'an older generation stands': [{ generation: 1 }] },
  })
})
