import type { Platform } from '@tokenkeeper/core'
import type { Run, RunTotalName, RunTotals } from '@tokenkeeper/store'
import { renderTable } from '../table.ts'

/** What `start --once --json` ends with. */
export interface Summary {
  readonly run: Counts & { readonly skipped: number }
  readonly platforms: Readonly<Partial<Record<Platform, Counts>>>
  /** In the sandbox alone: stored access tokens that were opened and that the PDS accepted after the run. */
  readonly verified?: { readonly accessTokensThatWork: number }
  readonly durationMs: number
}

interface Counts {
  readonly total: number
  readonly refreshed: number
  readonly failed: number
}

/** `skipped` is what was neither refreshed nor failed: not due, not active, or put off since the host asked us to wait. */
export function summarize(
  { totals }: Pick<Run, 'totals'>,
  durationMs: number,
  accessTokensThatWork: number | null,
): Summary {
  return {
    run: { ...counts(totals), skipped: totals.skipped + totals.deferred },
    platforms: Object.fromEntries(Object.entries(totals.platforms).map(([platform, sums]) => [platform, counts(sums)])),
    ...(accessTokensThatWork === null ? {} : { verified: { accessTokensThatWork } }),
    durationMs: Math.round(durationMs),
  }
}

/** Nothing failed; and where it was verified, every account was refreshed and every token works. */
export function wentWell({ run, verified }: Summary): boolean {
  if (run.failed > 0) return false
  return verified === undefined || (run.refreshed === run.total && verified.accessTokensThatWork === run.total)
}

export function renderSummary({ run, platforms, verified, durationMs }: Summary): string {
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
      ? [`verified: ${verified.accessTokensThatWork} of ${run.total} stored access tokens work at the PDS`]
      : []),
    `took ${(durationMs / 1_000).toFixed(1)} s`,
  ]
  return lines.join('\n')
}

function counts({ total, refreshed, failed }: Pick<RunTotals, RunTotalName>): Counts {
  return { total, refreshed, failed }
}
