import { PLATFORMS, type Platform } from '@tokenkeeper/core'
import type { Run, RunTotalName, RunTotals } from '@tokenkeeper/store'
import type { Verified } from '../sandbox/verify.ts'
import { renderTable } from '../table.ts'

/** What `start --once --json` ends with. */
export interface Summary {
  readonly run: Counts & { readonly skipped: number }
  readonly platforms: Readonly<Partial<Record<Platform, PlatformCounts>>>
  /** In the sandbox alone: stored tokens that were opened and that their hosts accepted after the run. */
  readonly verified?: Omit<Verified, 'pagesFetched'>
  readonly durationMs: number
}

interface Counts {
  readonly total: number
  readonly refreshed: number
  readonly failed: number
}

interface PlatformCounts extends Counts {
  /** In the sandbox, of Meta: Page tokens that were fetched with the refreshed tokens of their users. */
  readonly pages?: number
}

/** `skipped` is what was neither refreshed nor failed: not due, not active, or put off since the host asked us to wait. */
export function summarize({ totals }: Pick<Run, 'totals'>, durationMs: number, verified: Verified | null): Summary {
  const platforms: Partial<Record<Platform, PlatformCounts>> = Object.fromEntries(
    PLATFORMS.flatMap((platform) => {
      const sums = totals.platforms[platform]
      return sums ? [[platform, counts(sums)]] : []
    }),
  )
  const run = { ...counts(totals), skipped: totals.skipped + totals.deferred }
  if (verified === null) return { run, platforms, durationMs: Math.round(durationMs) }
  const { pagesFetched, ...working } = verified
  return {
    run,
    platforms: { ...platforms, ...(platforms.meta && { meta: { ...platforms.meta, pages: pagesFetched } }) },
    verified: working,
    durationMs: Math.round(durationMs),
  }
}

/**
 * Nothing failed; and where it was verified, every account was refreshed, every Page (so many there are) was fetched,
 * and every token works.
 */
export function wentWell({ run, platforms, verified }: Summary, pages = 0): boolean {
  if (run.failed > 0) return false
  if (verified === undefined) return true
  const { accessTokensThatWork, pageTokensThatWork } = verified
  const accountsWell = run.refreshed === run.total && accessTokensThatWork === run.total
  return accountsWell && (platforms.meta?.pages ?? 0) === pages && pageTokensThatWork === pages
}

export function renderSummary({ run, platforms, verified, durationMs }: Summary, pages = 0): string {
  const rows = Object.entries(platforms).map(([platform, { total, refreshed, failed }]) => {
    return [platform, total, refreshed, failed, total - refreshed - failed]
  })
  const lines = [
    renderTable(
      ['platform', 'accounts', 'refreshed', 'failed', 'skipped'],
      [...rows, ['all', run.total, run.refreshed, run.failed, run.skipped]],
    ),
    '',
    ...(verified
      ? [
          `Pages: ${platforms.meta?.pages ?? 0} of ${pages} tokens fetched with the refreshed tokens of their users`,
          `verified: ${verified.accessTokensThatWork} of ${run.total} stored access tokens and ` +
            `${verified.pageTokensThatWork} of ${pages} Page tokens work at their hosts`,
        ]
      : []),
    `took ${(durationMs / 1_000).toFixed(1)} s`,
  ]
  return lines.join('\n')
}

function counts({ total, refreshed, failed }: Pick<RunTotals, RunTotalName>): Counts {
  return { total, refreshed, failed }
}
