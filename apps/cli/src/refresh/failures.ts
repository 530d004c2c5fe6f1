import { type Account, ERRORS, type ErrorCode, type RefreshLogEntry } from '@tokenkeeper/core'
import type { Run, Store } from '@tokenkeeper/store'

export interface Failure {
  readonly account: Account
  /** Of the error; where nobody heard an answer, how the attempt ended (`INTERRUPTED`). */
  readonly code: string
}

/** So many are shown; the log has them all. */
const SHOWN = 100
/** So far back is the log looked through. */
const ENTRIES = 1_000

/**
 * Accounts that a run attempted and that were not refreshed in the end, by the log since its begin: some hundred at most,
 * the latest first. Where clocks of machines differ, some at its edges may be missing.
 */
export async function listFailures({ store }: { readonly store: Store }, run: Run): Promise<Failure[]> {
  if (run.totals.failed === 0) return []
  const entries = await store.log.list({ success: false, pageId: null, limit: ENTRIES })
  const latest = new Map<string, RefreshLogEntry>()
  for (const entry of entries) {
    if (entry.refreshedAt >= run.startedAt && !latest.has(entry.accountId)) latest.set(entry.accountId, entry)
  }
  const accounts = new Map((await store.accounts.getMany([...latest.keys()])).map((account) => [account.id, account]))
  return [...latest.values()]
    .flatMap(({ accountId, errorCode, outcome }) => {
      const account = accounts.get(accountId)
      const isOfRun = account && isTaken(run, account) && account.lastAttempt?.outcome !== 'refreshed'
      return isOfRun ? [{ account, code: errorCode ?? account.failure?.code ?? outcome.toUpperCase() }] : []
    })
    .slice(0, SHOWN)
}

function isTaken({ filter }: Run, { platform }: Account): boolean {
  return filter.platforms === undefined || filter.platforms.includes(platform)
}

/** What a code means, in public words. */
export function meaningOf(code: string): string {
  return code in ERRORS ? ERRORS[code as ErrorCode] : 'It is not known how the attempt ended.'
}

/** What becomes of an account that was not refreshed, and who has to do something. */
export function whatToDo({ status, id, platform }: Account): string {
  switch (status) {
    case 'active':
      return 'nothing: it is tried again by itself'
    case 'needs_action':
      return 'the user sees to it at the provider; tried once a day'
    case 'needs_reconnect':
      return `connect it again${platform === 'bluesky' ? ': tokenkeeper accounts add bluesky' : ''}`
    case 'quarantined':
      return 'put its key back into TOKEN_ENCRYPTION_KEYS; tried hourly'
    case 'paused':
      return `resume it: tokenkeeper accounts resume ${id}`
    case 'removing':
      return 'nothing: it is being removed'
  }
}
