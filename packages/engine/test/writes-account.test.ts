import { join } from 'node:path'
import {
  type Account,
  type AccountEventType,
  type AuditEntry,
  GRACE_MS,
  idFrom,
  type OutboxItem,
} from '@tokenkeeper/core'
import { createSqliteStore, type Store } from '@tokenkeeper/store'
import { AT, buildAccount, buildAttempt, buildLogItem } from '@tokenkeeper/store/build-account'
import { type TempDir, tempDir } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  moved,
  pause,
  postpone,
  quarantine,
  reconnect,
  remove,
  reseal,
  resume,
  snooze,
  suspectMove,
  tryAppPassword,
  unquarantine,
} from '../src/writes/account-writes.ts'
import { testWrite, type WriteCase } from './support/write-case.ts'

/** The rows of docs/protocol.md outside an attempt, against a real store. */

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
const OTHER = buildAttempt({ id: 'other' })

const FORMER = { sealed: 'v1.key-0.former', keyId: 'key-0', until: NOW + 1 }

/** As read: with something in every field that a write might touch. */
const account = buildAccount({
  generation: 3,
  previousCredential: 'v1.key-0.previous',
  previousKeyId: 'key-0',
  formerCredentials: [FORMER, { ...FORMER, until: NOW }],
  diesAt: NOW + 9,
  statusReason: 'AN_EARLIER_REASON',
  failure: { count: 2, class: 'transient', code: 'PROVIDER_TIMEOUT', since: AT },
  lastAttempt: { id: 'earlier', outcome: 'failed', generation: 3, at: AT - 1 },
  lastRefreshedAt: AT - 2,
  snoozedAt: AT - 3,
  pagesGeneration: 3,
  ownerEmail: 'owner@example.org',
  sealedAppPassword: 'v1.key-1.password',
  appPasswordKeyId: 'key-1',
  appPasswordTriedAt: AT - 4,
})

const audit: AuditEntry = {
  id: 'audit-1',
  accountId: account.id,
  action: 'account.paused',
  actor: 'operator',
  detail: null,
  at: NOW,
}
const audited: OutboxItem = { kind: 'audit', id: audit.id, entry: audit }

function event(type: AccountEventType, reason: string | null, part = `${NOW}`): OutboxItem {
  const id = idFrom(account.id, type, part)
  return { kind: 'event', id, entry: { id, accountId: account.id, type, reason, at: NOW } }
}

/** The end of the live attempt, brought about by somebody else. */
const displaced = (outcome: 'superseded' | 'removed') =>
  buildLogItem({
    id: LIVE.id,
    accountId: account.id,
    outcome,
    success: false,
    oldExpiresAt: account.accessExpiresAt,
    newExpiresAt: null,
    generation: 3,
    tokenDigest: LIVE.presentedDigest,
    durationMs: NOW - LIVE.beganAt,
    workerId: LIVE.workerId,
    refreshedAt: NOW,
  })

const OTHER_GENERATIONS = {
  'a later generation stands': { generation: 4 },
  'an earlier generation stands': { generation: 2 },
}
const AN_ATTEMPT = { 'an attempt stands': { attempt: OTHER } }
const OTHER_BYTES = { 'it was re-sealed': { sealedCredential: 'v1.key-2.anew', keyId: 'key-2' } }
/** For writes that do not look at the credential's bytes. */
const RESEALED = {
  'it was re-sealed': [
    {
      sealedCredential: 'v1.key-2.anew',
      keyId: 'key-2',
      previousCredential: 'v1.key-2.previous-anew',
      previousKeyId: 'key-2',
    },
  ],
} as const
const TO_ALL = (status: Account['status']) =>
  ({
    active: status,
    paused: status,
    needs_action: status,
    needs_reconnect: status,
    quarantined: status,
    removing: null,
  }) as const

describe('waiting', () => {
  check('snooze', {
    stands: account,
    write: snooze(account, NOW, AT + 500),
    sets: { nextRefreshAt: AT + 500, snoozedAt: NOW },
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT },
    accepts: RESEALED,
  })

  for (const state of ['released', 'held'] as const) {
    const standing = { ...LIVE, state, unknownSince: AT - 5, firstSentAt: AT - 6 }
    check(`postpone of what is ${state}`, {
      stands: { ...account, attempt: standing },
      write: postpone({ ...account, attempt: standing }, standing, NOW, AT + 500),
      sets: { attempt: { ...standing, notBefore: AT + 500 }, nextRefreshAt: AT + 500, snoozedAt: NOW },
      refuses: {
        ...OTHER_GENERATIONS,
        'another attempt stands': { attempt: { ...standing, id: 'other' } },
        'no attempt stands': { attempt: null },
        'it is live': { attempt: { ...standing, state: 'live' } },
      },
    })
  }

  check('postpone of what is live, its owner gone', {
    stands: { ...account, attempt: LIVE },
    write: postpone({ ...account, attempt: LIVE }, LIVE, NOW, AT + 500),
    sets: { attempt: { ...LIVE, leaseUntil: AT + 500 }, nextRefreshAt: AT + 500, snoozedAt: NOW },
    refuses: {
      ...OTHER_GENERATIONS,
      'another attempt stands': { attempt: { ...LIVE, id: 'other' } },
      'no attempt stands': { attempt: null },
      'its owner renewed it': { attempt: { ...LIVE, leaseUntil: LIVE.leaseUntil + 1 } },
      'it is released': { attempt: { ...LIVE, state: 'released' } },
    },
  })
})

describe('our own fault', () => {
  const PROBE = AT + 500
  const row = {
    sets: { nextRefreshAt: PROBE, statusReason: 'KEY_MISSING' },
    tells: [event('account.quarantined', 'KEY_MISSING')],
    refuses: { ...OTHER_GENERATIONS, ...OTHER_BYTES, ...AN_ATTEMPT },
    statuses: { active: 'quarantined', needs_action: 'quarantined' },
  } as const

  check('quarantine', { ...row, stands: account, write: quarantine(account, NOW, PROBE, 'KEY_MISSING') })

  const again: Account = { ...account, status: 'quarantined', statusReason: 'KEY_MISSING' }
  check('quarantine for the same reason again: no news', {
    ...row,
    stands: again,
    write: quarantine(again, NOW, PROBE, 'KEY_MISSING'),
    tells: [],
  })

  for (const state of ['live', 'released', 'held'] as const) {
    const standing = { ...LIVE, state }
    const waits = state === 'live' ? { leaseUntil: PROBE } : { notBefore: PROBE }
    check(`quarantine with a ${state} attempt, which waits too`, {
      ...row,
      stands: { ...account, attempt: standing },
      write: quarantine({ ...account, attempt: standing }, NOW, PROBE, 'KEY_MISSING'),
      sets: { ...row.sets, attempt: { ...standing, ...waits } },
      refuses: { ...row.refuses, 'no attempt stands': { attempt: null } },
    })
  }

  const quarantined: Account = { ...account, status: 'quarantined' }
  check('unquarantine', {
    stands: quarantined,
    write: unquarantine(quarantined, NOW),
    sets: { statusReason: null },
    tells: [event('account.unquarantined', null)],
    statuses: {
      ...TO_ALL('active'),
      active: null,
      paused: null,
      needs_action: null,
      needs_reconnect: null,
    },
    refuses: { ...OTHER_GENERATIONS, ...OTHER_BYTES },
    accepts: { 'an attempt stands': [{ attempt: OTHER }] },
  })
})

describe('a move', () => {
  const failure = { count: 1, class: 'dead_suspected', code: 'BLUESKY_MOVED', since: NOW } as const
  check('suspected', {
    stands: account,
    write: suspectMove(account, 3, failure, AT + 500),
    sets: { failure, nextRefreshAt: AT + 500 },
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT },
  })
  check('believed', {
    stands: account,
    write: moved(account, 3, { ...failure, class: 'dead' }, 'BLUESKY_MOVED https://new.host', NOW),
    sets: { failure: { ...failure, class: 'dead' }, statusReason: 'BLUESKY_MOVED https://new.host' },
    tells: [event('account.needs_reconnect', 'BLUESKY_MOVED https://new.host')],
    statuses: {
      active: 'needs_reconnect',
      paused: null,
      needs_action: null,
      needs_reconnect: null,
      quarantined: null,
      removing: null,
    },
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT },
  })
})

describe('reconnect', () => {
  const login = {
    displayName: 'new.test',
    serviceUrl: 'https://new.test',
    issuer: 'did:web:new.test',
    scopes: ['new'],
    sealedCredential: 'v1.key-2.login',
    keyId: 'key-2',
    connectId: 'mine',
    accessExpiresAt: AT + 1,
    diesAt: AT + 2,
    connectedAt: NOW,
    nextRefreshAt: AT + 3,
    sealedAppPassword: 'v1.key-2.password',
    appPasswordKeyId: 'key-2',
  } as const
  const connected = buildAccount(login)
  const sets = {
    ...login,
    generation: 4,
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [
      FORMER,
      { sealed: 'v1.key-0.previous', keyId: 'key-0', until: AT - 2 + GRACE_MS },
      { sealed: account.sealedCredential, keyId: account.keyId, until: NOW + 9 },
    ],
    statusReason: null,
    attempt: null,
    failure: null,
    lastRefreshedAt: null,
    snoozedAt: null,
    pagesGeneration: 0,
    pagesDueAt: null,
    ownerEmail: null,
    appPasswordTriedAt: null,
  }
  const news = [event('account.connected', null, 'mine'), audited]
  const mine = { 'it arrived already': { connectId: 'mine' } }

  check('where nothing stands', {
    stands: account,
    write: reconnect(account, connected, audit),
    sets,
    tells: news,
    statuses: TO_ALL('active'),
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT, ...mine },
    accepts: { 'another reconnected before': [{ connectId: 'theirs' }], ...RESEALED },
  })
  check('in mid-attempt: it is superseded', {
    stands: { ...account, attempt: LIVE },
    write: reconnect({ ...account, attempt: LIVE }, connected, audit),
    sets,
    tells: [displaced('superseded'), ...news],
    statuses: TO_ALL('active'),
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT, ...mine, 'no attempt stands': { attempt: null } },
  })
  check('over a held attempt, which has told its end', {
    stands: { ...account, attempt: { ...LIVE, state: 'held' } },
    write: reconnect({ ...account, attempt: { ...LIVE, state: 'held' } }, connected, audit),
    sets,
    tells: news,
    statuses: TO_ALL('active'),
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT, ...mine },
  })
})

describe('keys', () => {
  const fields = {
    sealedCredential: 'v1.key-2.anew',
    keyId: 'key-2',
    previousCredential: 'v1.key-2.previous-anew',
    previousKeyId: 'key-2',
    sealedAppPassword: 'v1.key-2.password-anew',
    appPasswordKeyId: 'key-2',
  }
  const row = {
    write: reseal(account, fields),
    stands: account,
    sets: fields,
    refuses: {
      ...OTHER_GENERATIONS,
      'it was re-sealed by another': { sealedCredential: 'v1.key-2.by-another' },
      'the previous one was re-sealed by another': { previousCredential: 'v1.key-2.by-another' },
      'the previous one is gone': { previousCredential: null },
    },
    accepts: { 'an attempt stands': [{ attempt: OTHER }] },
  } as const
  check('re-seal', row)
  const first = { ...account, previousCredential: null, previousKeyId: null }
  check('re-seal where there is no previous credential', {
    ...row,
    stands: first,
    write: reseal(first, { ...fields, previousCredential: null, previousKeyId: null }),
    sets: { ...fields, previousCredential: null, previousKeyId: null },
    refuses: { ...OTHER_GENERATIONS, 'there is one meanwhile': { previousCredential: 'v1.key-1.previous' } },
  })

  check('try the app password', {
    stands: { ...account, attempt: LIVE },
    write: tryAppPassword(account, LIVE.id, NOW),
    sets: { appPasswordTriedAt: NOW },
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT, 'no attempt stands': { attempt: null } },
  })
})

describe('operators', () => {
  const others = { needs_action: null, needs_reconnect: null, quarantined: null, removing: null } as const
  const accepts = {
    'a later generation stands': [{ generation: 9 }],
    'an attempt stands: it goes on': [{ attempt: OTHER }],
    ...RESEALED,
  } as const
  check('pause', {
    stands: account,
    write: pause(account, audit),
    sets: {},
    tells: [audited],
    statuses: { ...others, active: 'paused', paused: null },
    refuses: {},
    accepts,
  })
  check('resume', {
    stands: { ...account, status: 'paused' },
    write: resume(account, audit),
    sets: {},
    tells: [audited],
    statuses: { ...others, active: null, paused: 'active' },
    refuses: {},
    accepts,
  })

  const erased = {
    sealedCredential: '',
    keyId: '',
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [],
    sealedAppPassword: null,
    appPasswordKeyId: null,
    attempt: null,
  }
  check('remove', {
    stands: account,
    write: remove(account, audit),
    sets: erased,
    tells: [audited],
    statuses: TO_ALL('removing'),
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT },
    accepts: RESEALED,
  })
  check('remove in mid-attempt: it is told', {
    stands: { ...account, attempt: LIVE },
    write: remove({ ...account, attempt: LIVE }, audit),
    sets: erased,
    tells: [displaced('removed'), audited],
    statuses: TO_ALL('removing'),
    refuses: { ...OTHER_GENERATIONS, ...AN_ATTEMPT, 'no attempt stands': { attempt: null } },
  })
})
