import {
  type Account,
  type Attempt,
  type Halt,
  haltIdOf,
  makeId,
  type OutboxItem,
  type Page,
  pageIdOf,
  type RefreshLogEntry,
} from '@tokenkeeper/core'

/** The time around which the built things lie (ms since the epoch). */
export const AT = 1_800_000_000_000

/** An active Bluesky account with nothing standing and a login of its own, for tests. */
export function buildAccount(overrides: Partial<Account> = {}): Account {
  const id = overrides.id ?? makeId()
  return {
    id,
    ownerId: 'owner-1',
    platform: 'bluesky',
    providerAppId: '',
    externalId: `did:plc:${id}`,
    displayName: `user-${id}.test`,
    status: 'active',
    statusReason: null,
    serviceUrl: 'https://pds.test',
    issuer: 'did:web:pds.test',
    scopes: [],
    generation: 1,
    sealedCredential: `v1.key-1.credential-1-of-${id}`,
    keyId: 'key-1',
    previousCredential: null,
    previousKeyId: null,
    formerCredentials: [],
    connectId: `connect-${id}`,
    accessExpiresAt: AT,
    diesAt: AT,
    dataAccessExpiresAt: null,
    connectedAt: AT,
    lastRefreshedAt: null,
    nextRefreshAt: AT,
    snoozedAt: null,
    failure: null,
    attempt: null,
    lastAttempt: null,
    pagesGeneration: 0,
    pagesDueAt: null,
    outbox: [],
    ownerEmail: null,
    sealedAppPassword: null,
    appPasswordKeyId: null,
    appPasswordTriedAt: null,
    ...overrides,
  }
}

/** An active Page of an account of its own, for tests. */
export function buildPage(overrides: Partial<Page> = {}): Page {
  const { accountId = makeId(), externalId = makeId() } = overrides
  const id = pageIdOf(accountId, externalId)
  return {
    id,
    accountId,
    externalId,
    name: `Page ${externalId}`,
    sealedToken: `v1.key-1.token-of-${id}`,
    keyId: 'key-1',
    tokenExpiresAt: null,
    tasks: ['CREATE_CONTENT', 'ANALYZE'],
    instagramBusinessAccountId: null,
    status: 'active',
    statusReason: null,
    missingCount: 0,
    lastMissedAt: null,
    parentGeneration: 1,
    refreshedAt: AT,
    ...overrides,
  }
}

/** The halt of a Meta app of its own, for tests. */
export function buildHalt(overrides: Partial<Halt> = {}): Halt {
  const { platform = 'meta', providerAppId = `app-${makeId()}` } = overrides
  return {
    id: haltIdOf(platform, providerAppId),
    platform,
    providerAppId,
    state: 'halted',
    code: 'META_APP_SECRET_WRONG',
    suspects: [makeId()],
    since: AT,
    probeAt: AT + 900_000,
    ...overrides,
  }
}

/** A live attempt, for tests. */
export function buildAttempt(overrides: Partial<Attempt> = {}): Attempt {
  return {
    id: makeId(),
    state: 'live',
    workerId: 'worker-1',
    jobId: null,
    jobRun: 0,
    tookOverEarly: false,
    refreshType: 'scheduled',
    beganAt: AT,
    leaseUntil: AT + 12_000,
    firstSentAt: AT,
    unknownSince: null,
    notBefore: AT,
    presentedDigest: '0123456789abcdef',
    ...overrides,
  }
}

/** The log entry of an attempt that succeeded, for tests. */
export function buildLogEntry(overrides: Partial<RefreshLogEntry> = {}): RefreshLogEntry {
  return {
    id: makeId(),
    accountId: makeId(),
    pageId: null,
    refreshType: 'scheduled',
    outcome: 'refreshed',
    success: true,
    errorClass: null,
    errorCode: null,
    errorMessage: null,
    extension: null,
    oldExpiresAt: AT,
    newExpiresAt: AT + 1,
    generation: 1,
    tokenDigest: '0123456789abcdef',
    durationMs: 12,
    workerId: 'worker-1',
    refreshedAt: AT,
    ...overrides,
  }
}

/** An outbox item that holds a log entry, under the id that the engine gives it, for tests. */
export function buildLogItem(overrides: Partial<RefreshLogEntry> = {}): OutboxItem {
  const entry = buildLogEntry(overrides)
  return { kind: 'log', id: `${entry.id}:${entry.outcome}`, entry }
}
