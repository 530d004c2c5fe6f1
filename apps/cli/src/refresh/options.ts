import type { Platform } from '@tokenkeeper/core'
import { TAKES_DUE_WITHIN_MS } from '@tokenkeeper/queue'
import type { Run } from '@tokenkeeper/store'

export interface RefreshOptions {
  readonly all?: boolean
  readonly account?: string
  readonly platform?: Platform
  readonly standalone?: boolean
  readonly dryRun?: boolean
  /** Of a dry run; how many are shown. */
  readonly limit?: number
}

/** Which accounts a refresh that begins now (ms) takes: as a scheduled run, or with `--all` every active one. */
export function filterOf({ all, platform }: Pick<RefreshOptions, 'all' | 'platform'>, now: number): Run['filter'] {
  return { ...(platform && { platforms: [platform] }), ...(!all && { dueBefore: now + TAKES_DUE_WITHIN_MS }) }
}
