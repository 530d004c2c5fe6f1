import { join } from 'node:path'
import {
  type Attempt,
  type AttemptOutcome,
  ERRORS,
  type ErrorCode,
  GRACE_MS,
  idFrom,
  type OutboxItem,
} from '@tokenkeeper/core'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { AT, buildAccount, buildAttempt, buildLogItem } from '@tokenkeeper/store/build-account'
import { type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Flight } from '../src/flight.ts'
import { begin, dead, fail, hold, park, release, renew } from '../src/writes/attempt-writes.ts'
import { commit, committedOn } from '../src/writes/commit-write.ts'
import { buildResult } from './support/build-result.ts'
import { testWrite, type WriteCase } from './support/write-case.ts'

/** The rows of docs/protocol.md that belong to an attempt, against a real store. */

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
const TRANSIENT = { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT } as const
const OTHER = buildAttempt({ id: 'other' })
const FORMER = { sealed: 'v1.key-0.former', keyId: 'key-0', until: NOW + 1 }

/** As read: with something in every field that a write might touch. */
const account = buildAccount({
  generation: 3,
  previousCredential: 'v1.key-0.previous',
  previousKeyId: 'key-0',
  formerCredentials: [FORMER],
  statusReason: 'AN_EARLIER_REASON',
  failure: TRANSIENT,
  lastAttempt: { id: 'earlier', outcome: 'failed', generation: 3, at: AT - 1 },
  lastRefreshedAt: AT - 2,
  snoozedAt: AT - 3,
  pagesGeneration: 3,
})

/** What the log is told of the end of an attempt that began at AT. */
function told(attempt: Attempt, outcome: AttemptOutcome, at: number, error?: { class: string; code: ErrorCode }) {
  return buildLogItem({
    id: attempt.id,
    accountId: account.id,
    refreshType: attempt.refreshType,
    outcome,
    success: outcome === 'refreshed',
    errorClass: error?.class ?? null,
    errorCode: error?.code ?? null,
    errorMessage: error ? ERRORS[error.code] : null,
    oldExpiresAt: account.accessExpiresAt,
    newExpiresAt: null,
    generation: account.generation,
    tokenDigest: attempt.presentedDigest,
    durationMs: at - AT,
    workerId: attempt.workerId,
    refreshedAt: at,
  })
}

function event(
  id: string,
  type: 'account.needs_reconnect' | 'account.needs_action' | 'account.revived',
  reason: string,
) {
  return { kind: 'event', id, entry: { id, accountId: account.id, type, reason, at: NOW } } satisfies OutboxItem
}

const OTHER_GENERATIONS = {
  'a later generation stands': { generation: 4 },
  'an earlier generation stands': { generation: 2 },
}
const OTHER_ATTEMPTS = {
  'another attempt stands': { attempt: OTHER },
  'no attempt stands': { attempt: null },
}

describe('begin', () => {
  const attempt = buildAttempt({ id: 'mine', workerId: 'me', firstSentAt: AT - 5, unknownSince: AT - 4, beganAt: NOW })
  const taken = (standing: Attempt) => ({ stands: { ...account, attempt: standing } })

  check('where nothing stands', {
    stands: account,
    write: begin(account, attempt),
    sets: { attempt },
    statuses: { paused: null, needs_reconnect: null, quarantined: null, removing: null },
    refuses: { ...OTHER_GENERATIONS, 'an attempt stands': { attempt: OTHER } },
    accepts: {
      'it was re-sealed': [{ sealedCredential: 'v1.key-2.anew', keyId: 'key-2' }],
      'it was snoozed': [{ nextRefreshAt: AT + 99, snoozedAt: AT + 1 }],
    },
  })

  const live = buildAttempt({ id: 'standing', leaseUntil: AT + 10, workerId: 'dead-worker', refreshType: 'manual' })
  check('over a live attempt', {
    ...taken(live),
    write: begin({ ...account, attempt: live }, attempt),
    sets: { attempt },
    tells: [told(live, 'interrupted', NOW)],
    statuses: { removing: null },
    refuses: {
      ...OTHER_GENERATIONS,
      ...OTHER_ATTEMPTS,
      'its lease was renewed': { attempt: { ...live, leaseUntil: AT + 11 } },
      'it was released': { attempt: { ...live, state: 'released' } },
      'it is held': { attempt: { ...live, state: 'held' } },
    },
  })

  for (const state of ['released', 'held'] as const) {
    const standing = buildAttempt({ id: 'standing', state, unknownSince: AT - 4 })
    check(`over a ${state} attempt, which has told its end`, {
      ...taken(standing),
      write: begin({ ...account, attempt: standing }, attempt),
      sets: { attempt },
      statuses: { removing: null },
      refuses: {
        ...OTHER_GENERATIONS,
        ...OTHER_ATTEMPTS,
        'it is live': { attempt: { ...standing, state: 'live' } },
        'it changed its state': { attempt: { ...standing, state: state === 'held' ? 'released' : 'held' } },
      },
      accepts: { 'its time was moved': [{ attempt: { ...standing, notBefore: AT + 99 } }] },
    })
  }
})

describe('renew', () => {
  const attempt = buildAttempt({ id: 'mine' })
  check('renew', {
    stands: { ...account, attempt },
    write: renew(account.id, 'mine', AT + 77),
    sets: { attempt: { ...attempt, leaseUntil: AT + 77 } },
    refuses: {
      ...OTHER_ATTEMPTS,
      'it was released': { attempt: { ...attempt, state: 'released' } },
      'it is held': { attempt: { ...attempt, state: 'held' } },
    },
    accepts: { 'the generation rose': [{ generation: 4 }] },
  })
})

describe('commit', () => {
  const mine = buildAttempt({ id: 'mine' })
  const result = buildResult({
    connectId: account.connectId,
    generation: 3,
    attempt: mine,
    oldExpiresAt: account.accessExpiresAt,
    note: 'BLUESKY_DEACTIVATED',
  })
  const sets = {
    previousCredential: account.sealedCredential,
    previousKeyId: account.keyId,
    sealedCredential: result.sealed,
    keyId: result.keyId,
    formerCredentials: [FORMER, { sealed: 'v1.key-0.previous', keyId: 'key-0', until: AT - 2 + GRACE_MS }],
    accessExpiresAt: result.accessExpiresAt,
    diesAt: result.diesAt,
    lastRefreshedAt: result.answeredAt,
    nextRefreshAt: result.nextRefreshAt,
    generation: 4,
    attempt: null,
    failure: null,
    statusReason: 'BLUESKY_DEACTIVATED',
    lastAttempt: { id: 'mine', outcome: 'refreshed', generation: 3, at: NOW },
  } as const
  const statuses = { needs_action: 'active', needs_reconnect: 'active', quarantined: 'active', removing: null } as const
  const refreshed = told(mine, 'refreshed', result.answeredAt)
  if (refreshed.kind === 'log') Object.assign(refreshed.entry, { newExpiresAt: result.accessExpiresAt })
  const accepts = {
    'it was re-sealed meanwhile': [
      { sealedCredential: 'v1.key-9.anew', keyId: 'key-9', previousCredential: null, previousKeyId: null },
      { previousCredential: 'v1.key-9.anew', previousKeyId: 'key-9' },
    ],
    'its lease was renewed': [{ attempt: { ...mine, leaseUntil: AT + 99 } }],
    'it was released': [{ attempt: { ...mine, state: 'released' } }],
    'it is held': [{ attempt: { ...mine, state: 'held' } }],
  } as const

  check('of the attempt that stands', {
    stands: { ...account, attempt: mine },
    write: commit({ ...account, attempt: mine }, result, NOW),
    sets,
    tells: [refreshed],
    statuses,
    refuses: { ...OTHER_GENERATIONS, ...OTHER_ATTEMPTS },
    accepts,
  })

  check('where nothing stands any more', {
    stands: account,
    write: commit(account, result, NOW),
    sets,
    tells: [refreshed],
    statuses,
    refuses: { ...OTHER_GENERATIONS, 'another attempt stands': { attempt: OTHER } },
  })

  check('over the live attempt of another, which it displaces', {
    stands: { ...account, attempt: OTHER },
    write: commit({ ...account, attempt: OTHER }, result, NOW),
    sets,
    tells: [told(OTHER, 'interrupted', NOW), refreshed],
    statuses,
    refuses: { ...OTHER_GENERATIONS, 'nothing stands': { attempt: null }, 'its own stands': { attempt: mine } },
  })

  check('over the held attempt of another, of a dead account: it is revived', {
    stands: { ...account, status: 'needs_reconnect', statusReason: 'WHY', attempt: { ...OTHER, state: 'held' } },
    write: commit(
      { ...account, status: 'needs_reconnect', statusReason: 'WHY', attempt: { ...OTHER, state: 'held' } },
      result,
      NOW,
    ),
    sets,
    tells: [refreshed, event(idFrom('mine', 'account.revived'), 'account.revived', 'WHY')],
    statuses,
    refuses: OTHER_GENERATIONS,
  })

  test.each([
    ['its own commit', { lastAttempt: { id: 'mine', outcome: 'refreshed', generation: 3, at: NOW } }, 3],
    ['its own verdict', { lastAttempt: { id: 'mine', outcome: 'ambiguous', generation: 3, at: NOW } }, null],
    ['the commit of another', { lastAttempt: { id: 'other', outcome: 'refreshed', generation: 3, at: NOW } }, null],
    ['its own commit, still to be told', { outbox: [refreshed] }, 3],
    ['its interruption, told by another', { outbox: [told(mine, 'interrupted', NOW)] }, null],
    ['the commit of another, still to be told', { outbox: [told(OTHER, 'refreshed', NOW)] }, null],
    ['nothing', { lastAttempt: null }, null],
  ] as const)('is mine only with the outcome refreshed: %s', (_what, change, expected) => {
    expect(committedOn({ ...account, ...change }, 'mine')).toBe(expected)
  })
})

describe('the verdicts of an attempt', () => {
  const mine = buildAttempt({ id: 'mine', firstSentAt: AT - 5 })
  const unknown = { ...mine, unknownSince: AT - 4 }
  const flightOf = (attempt: Attempt, change = {}) => ({ account: { ...account, ...change }, attempt }) as Flight
  const ended = (outcome: AttemptOutcome) => ({ id: 'mine', outcome, generation: 3, at: NOW })
  const RATE_LIMITED = { count: 3, class: 'rate_limited', code: 'PROVIDER_RATE_LIMITED', since: NOW } as const

  /** What all of them ask for. */
  const common = (attempt: Attempt) => ({
    stands: { ...account, attempt },
    refuses: { ...OTHER_GENERATIONS, ...OTHER_ATTEMPTS },
    accepts: { 'its lease was renewed': [{ attempt: { ...attempt, leaseUntil: AT + 99 } }] } as const,
  })
  const suspected = { count: 3, class: 'dead_suspected', code: 'BLUESKY_MOVED', since: AT } as const

  check('dead', {
    ...common(mine),
    write: dead(flightOf(mine), NOW, { code: 'BLUESKY_MOVED', detail: 'https://new.host', failure: suspected }),
    sets: {
      attempt: null,
      nextRefreshAt: NOW,
      statusReason: 'BLUESKY_MOVED https://new.host',
      failure: { ...suspected, class: 'dead' },
      lastAttempt: ended('dead'),
    },
    tells: [
      told(mine, 'dead', NOW, { class: 'dead', code: 'BLUESKY_MOVED' }),
      event(idFrom('mine', 'account.needs_reconnect'), 'account.needs_reconnect', 'BLUESKY_MOVED https://new.host'),
    ],
    statuses: { active: 'needs_reconnect', needs_action: 'needs_reconnect' },
  })

  check('hold', {
    ...common(unknown),
    write: hold(flightOf(unknown), NOW, AT + 500, 'BLUESKY_SESSION_EXPIRED'),
    sets: {
      attempt: { ...unknown, state: 'held', notBefore: AT + 500 },
      nextRefreshAt: AT + 500,
      lastAttempt: ended('held'),
    },
    tells: [told(unknown, 'held', NOW, { class: 'dead_suspected', code: 'BLUESKY_SESSION_EXPIRED' })],
  })

  check('release', {
    ...common(unknown),
    write: release(flightOf(unknown), NOW, AT + 500, TRANSIENT, 'PROVIDER_TIMEOUT'),
    sets: {
      attempt: { ...unknown, state: 'released', unknownSince: NOW, notBefore: AT + 500 },
      nextRefreshAt: AT + 500,
      failure: TRANSIENT,
      lastAttempt: ended('ambiguous'),
    },
    tells: [told(unknown, 'ambiguous', NOW, { class: 'transient', code: 'PROVIDER_TIMEOUT' })],
  })

  check('fail, where nothing is unknown', {
    ...common(mine),
    write: fail(flightOf(mine), NOW, AT + 500, RATE_LIMITED, 'PROVIDER_RATE_LIMITED'),
    sets: { attempt: null, nextRefreshAt: AT + 500, failure: RATE_LIMITED, lastAttempt: ended('failed') },
    tells: [told(mine, 'failed', NOW, { class: 'rate_limited', code: 'PROVIDER_RATE_LIMITED' })],
  })

  check('fail, where an earlier outcome is unknown', {
    ...common(unknown),
    write: fail(flightOf(unknown), NOW, AT + 500, RATE_LIMITED, 'PROVIDER_RATE_LIMITED'),
    sets: {
      attempt: { ...unknown, state: 'released', notBefore: AT + 500 },
      nextRefreshAt: AT + 500,
      failure: RATE_LIMITED,
      lastAttempt: ended('failed'),
    },
    tells: [told(unknown, 'failed', NOW, { class: 'rate_limited', code: 'PROVIDER_RATE_LIMITED' })],
  })

  const down = { count: 1, class: 'needs_action', code: 'BLUESKY_TAKEN_DOWN', since: NOW } as const
  const times = { probeAt: AT + 500, retryAt: AT + 50 }
  const parked = {
    ...common(mine),
    sets: {
      attempt: null,
      nextRefreshAt: AT + 500,
      failure: down,
      statusReason: 'BLUESKY_TAKEN_DOWN',
      lastAttempt: ended('needs_action'),
    },
    statuses: { active: 'needs_action' },
  } as const
  const log = told(mine, 'needs_action', NOW, { class: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' })
  check('park', {
    ...parked,
    write: park(flightOf(mine), NOW, times, down, 'BLUESKY_TAKEN_DOWN'),
    tells: [log, event(idFrom('mine', 'account.needs_action'), 'account.needs_action', 'BLUESKY_TAKEN_DOWN')],
  })
  check('park, of an account that is parked already: no news', {
    ...parked,
    write: park(flightOf(mine, { status: 'needs_action' }), NOW, times, down, 'BLUESKY_TAKEN_DOWN'),
    tells: [log],
  })
  check('park, where an earlier outcome is unknown: it is recovered before the probe', {
    ...parked,
    ...common(unknown),
    write: park(flightOf(unknown, { status: 'needs_action' }), NOW, times, down, 'BLUESKY_TAKEN_DOWN'),
    sets: { ...parked.sets, attempt: { ...unknown, state: 'released', notBefore: AT + 50 } },
    tells: [told(unknown, 'needs_action', NOW, { class: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' })],
  })
})
