import { DAY, HOUR, makeId, type RefreshLogEntry, SECOND } from '@tokenkeeper/core'
import { buildAccount, buildLogEntry, buildPage } from '../../src/conformance/build-account.ts'
import type { Store } from '../../src/index.ts'

/** Whole seconds, as SQLite's texts have them. */
export const NOW = Math.floor(Date.now() / 1_000) * 1_000

/** The i-th id: those who are told in the order of their ids are in the order in which they stand here. */
const idOf = (i: number) => `${makeId().slice(0, 22)}${i.toString(16).padStart(2, '0')}`

const account = (i: number, displayName: string, fields: Parameters<typeof buildAccount>[0]) =>
  buildAccount({ id: idOf(i), displayName, dataAccessExpiresAt: null, connectedAt: NOW - 100 * DAY, ...fields })

export const ACCOUNTS = {
  ada: account(1, 'ada', { platform: 'meta', diesAt: NOW + 3 * DAY, lastRefreshedAt: NOW - 57 * DAY }),
  bob: account(2, 'bob', {
    platform: 'meta',
    status: 'needs_action',
    statusReason: 'META_CHECKPOINT',
    diesAt: NOW + 6 * DAY,
    lastRefreshedAt: NOW - 70 * DAY,
  }),
  cleo: account(3, 'cleo', {
    platform: 'instagram',
    statusReason: 'TOKEN_NOT_EXTENDED',
    diesAt: NOW + 20 * DAY,
    dataAccessExpiresAt: NOW + 2 * DAY,
    lastRefreshedAt: NOW - 20 * DAY,
  }),
  dan: account(4, 'dan', { diesAt: NOW + 5 * DAY, lastRefreshedAt: NOW - 85 * DAY }),
  eve: account(5, 'eve', {
    status: 'needs_reconnect',
    statusReason: 'BLUESKY_SESSION_EXPIRED',
    diesAt: NOW - 10 * DAY,
    lastRefreshedAt: NOW - 100 * DAY,
  }),
  fay: account(6, 'fay', { platform: 'threads', diesAt: NOW + 9 * DAY, connectedAt: NOW - 61 * DAY }),
}
const { ada, bob, cleo, dan, eve } = ACCOUNTS

const page = (name: string, fields: Parameters<typeof buildPage>[0]) =>
  buildPage({ accountId: ada.id, externalId: `fb-${name}`, name, refreshedAt: NOW - 2 * HOUR, ...fields })

export const PAGES = {
  bakery: page('Bakery', {}),
  closed: page('Closed', { status: 'lost', statusReason: 'META_PAGE_LOST' }),
  denied: page('Denied', {
    status: 'needs_permission',
    sealedToken: null,
    keyId: null,
    statusReason: 'META_PERMISSION_MISSING',
  }),
  ending: page('Ending', { tokenExpiresAt: NOW + 2 * DAY }),
}

const entry = (i: number, of: { readonly id: string }, ago: number, fields: Partial<RefreshLogEntry> = {}) =>
  buildLogEntry({ id: idOf(i), accountId: of.id, refreshedAt: NOW - ago, ...fields })
const failed = (outcome: RefreshLogEntry['outcome'], errorCode: string | null) =>
  ({ outcome, success: false, errorCode, errorMessage: errorCode && `Why: ${errorCode}` }) as const

const refreshed = entry(20, ada, 2 * HOUR, { oldExpiresAt: NOW + 3 * DAY, newExpiresAt: NOW + 60 * DAY })
export const LOG = {
  refreshed,
  bakery: { ...refreshed, id: `${refreshed.id}:${PAGES.bakery.id}`, pageId: PAGES.bakery.id },
  closed: {
    ...refreshed,
    ...failed('failed', 'META_PAGE_LOST'),
    refreshedAt: refreshed.refreshedAt - SECOND,
    id: `${refreshed.id}:${PAGES.closed.id}`,
    pageId: PAGES.closed.id,
  },
  checkpoint: entry(21, bob, 3 * HOUR, failed('needs_action', 'META_CHECKPOINT')),
  timeOut: entry(22, dan, 4 * HOUR, { ...failed('ambiguous', 'PROVIDER_TIMEOUT'), refreshType: 'on_demand' }),
  earlierTimeOut: entry(23, dan, 3 * DAY, { ...failed('ambiguous', 'PROVIDER_TIMEOUT'), refreshType: 'on_demand' }),
  interrupted: entry(24, eve, 5 * DAY, failed('interrupted', null)),
  manual: entry(25, cleo, 20 * DAY, { refreshType: 'manual' }),
  old: entry(26, eve, 40 * DAY, failed('dead', 'BLUESKY_SESSION_EXPIRED')),
}

export async function fillForQueries({ accounts, pages, log }: Store): Promise<void> {
  await Promise.all(Object.values(ACCOUNTS).map((one) => accounts.insert(one)))
  await pages.put(Object.values(PAGES))
  await log.put(Object.values(LOG))
}
