import {
  type Account,
  DAY,
  type ErrorCode,
  type HaltVerdict,
  HOUR,
  MINUTE,
  type SnoozeVerdict,
  type Verdict,
} from '@tokenkeeper/core'
import type { EngineDeps } from '../deps.ts'
import { comeBackAt, noteRefusal } from '../halts.ts'
import { pauseHost } from '../indefinite.ts'
import { soonAfter } from '../spread.ts'
import { pagesPutOff } from '../writes/pages-writes.ts'
import type { PageFetch } from './page-fetch.ts'
import type { PagesOutcome } from './pages-outcome.ts'
import { tellRefused } from './tell.ts'

const LEAST_WAIT_MS = 10 * MINUTE
const LONGEST_WAIT_MS = 6 * HOUR

/** No Pages were listed. That decides nothing about the account: a refused token is for a refresh to weigh. */
export async function concludeUnlisted(deps: EngineDeps, fetch: PageFetch, verdict: Verdict): Promise<PagesOutcome> {
  const { account } = fetch
  const { kind, code, internal } = verdict
  const now = deps.clock.now()
  const aside = now + asideMs(deps, account)
  deps.logger.warn({ accountId: account.id, verdict: kind, code, internal }, `no Pages: ${account.displayName}`)
  switch (verdict.kind) {
    case 'retry':
      return putOff(deps, account, code, verdict.at ?? now + patienceMs(deps, account))
    case 'snooze':
    case 'halt':
      return putOff(deps, account, code, await limitEnd(deps, fetch, verdict))
    case 'dead':
    case 'needs_action':
      if (kind === 'needs_action') await tellRefused(deps, fetch, code)
      return putOff(deps, account, code, aside, mayRefreshTell(account, code, now) ? now : undefined)
    case 'bug':
      deps.logger.error({ accountId: account.id, code, internal }, 'our request for Pages was wrong')
      return putOff(deps, account, code, aside)
  }
}

/** Notes for the others that the app or the host is to be left alone. Returns until when (ms). */
export async function limitEnd(
  deps: EngineDeps,
  fetch: PageFetch,
  verdict: HaltVerdict | SnoozeVerdict,
): Promise<number> {
  const { account } = fetch
  const isSnooze = verdict.kind === 'snooze'
  if (isSnooze && verdict.scope === 'host') await pauseHost(deps, fetch, verdict.until)
  const isOfApp = !isSnooze || verdict.scope === 'app'
  const halt = isOfApp ? await noteRefusal(deps, account, verdict, account.id) : null
  const now = deps.clock.now()
  if (halt?.state === 'halted') return comeBackAt(halt, now)
  return isSnooze ? verdict.until : now + patienceMs(deps, account)
}

/**
 * Whether a refresh may find out more. Not soon after one that found the token in order, else the two would chase each
 * other; and a permission that is missing is no matter of the token's.
 */
function mayRefreshTell({ lastRefreshedAt }: Account, code: ErrorCode, now: number): boolean {
  return code !== 'META_PERMISSION_MISSING' && (lastRefreshedAt === null || now - lastRefreshedAt >= DAY)
}

/** As long as they have been waited for already, so that waits double although nobody counts: 10 minutes to 6 hours. */
export function patienceMs({ clock, random }: EngineDeps, { lastRefreshedAt, connectedAt }: Account): number {
  const waited = clock.now() - (lastRefreshedAt ?? connectedAt)
  return Math.floor(Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, waited)) * (1 - 0.2 * random()))
}

/** How long they wait for what a refresh or a person has to clear up first: the same, but an hour at least. */
export function asideMs(deps: EngineDeps, account: Account): number {
  return Math.max(HOUR, patienceMs(deps, account))
}

/** They come back soon after `until`, not all in the same instant. `refreshAt`: the account itself is due then (ms). */
export async function putOff(
  deps: EngineDeps,
  account: Account,
  code: ErrorCode,
  until: number,
  refreshAt?: number,
): Promise<Extract<PagesOutcome, { kind: 'failed' }>> {
  const at = soonAfter(deps, until)
  await deps.store.accounts.write(pagesPutOff(account, at, refreshAt))
  return { kind: 'failed', code, until: at }
}
