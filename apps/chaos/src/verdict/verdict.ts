import type { AttemptHistory } from '../journal/history.ts'
import { lookAtAll } from '../settle.ts'
import type { World } from '../world/world.ts'
import { countOverwrittenNewer, storedTokens } from './credentials.ts'
import { countWrongVerdicts } from './deaths.ts'
import { weighSpending } from './double-spends.ts'
import { findLostSessions, findUnremoved } from './final-sessions.ts'
import { interrupted } from './interruptions.ts'
import { countUnlogged } from './log.ts'
import { percentile } from './recovery.ts'

/** The last line of `--json`. */
export interface Verdict {
  readonly seed: number
  readonly store: string
  readonly interruptions: number
  readonly kills: number
  readonly refreshes: number
  readonly lostSessions: number
  readonly doubleSpends: number
  readonly latePresentations: number
  readonly witnesses: number
  readonly overwrittenNewer: number
  readonly wrongVerdicts: number
  readonly unloggedAttempts: number
  readonly fencedCommits: number
  readonly spoolReplays: number
  readonly recoverySeconds: { readonly p50: number | null; readonly max: number | null }
}

/** What must never happen. */
export const ZEROS = [
  'lostSessions',
  'doubleSpends',
  'overwrittenNewer',
  'wrongVerdicts',
  'unloggedAttempts',
] as const satisfies readonly (keyof Verdict)[]

export function isClean(verdict: Verdict): boolean {
  return ZEROS.every((name) => verdict[name] === 0)
}

/** What was seen during the run. */
export interface Seen {
  readonly recoveries: readonly number[]
  /** The last week's. */
  readonly forgotten: ReadonlyMap<string, string>
}

/** Once all is settled: counts, from what journals, proxy, store and PDS tell. */
export async function judge(
  world: World,
  { recoveries, forgotten }: Seen,
  say: (line: string) => void,
): Promise<Verdict> {
  const { options, history, fleet } = world
  await lookAtAll(world)
  const attempts = [...history.attempts.values()]
  const stored = storedTokens(world)
  const unloggedAttempts = await countUnlogged(world)
  const wrongVerdicts = await countWrongVerdicts(world)
  const { doubleSpends, latePresentations, witnesses } = weighSpending(world, stored)
  const unremoved = await findUnremoved(world)
  if (unremoved.length > 0) throw new Error(`Removed, and still there: ${unremoved}`)
  const lost = await findLostSessions(world, forgotten)
  for (const trouble of lost) say(`lost: ${trouble}`)
  const rounded = (share: number) => {
    const seconds = percentile(recoveries, share)
    return seconds === null ? null : Math.round(seconds * 10) / 10
  }
  return {
    seed: options.seed,
    store: options.store,
    interruptions: interrupted(history, fleet).length,
    kills: fleet.kills,
    refreshes: attempts.filter(({ end }) => end?.outcome === 'refreshed').length,
    lostSessions: lost.length,
    doubleSpends,
    latePresentations,
    witnesses,
    overwrittenNewer: countOverwrittenNewer(world, stored),
    wrongVerdicts,
    unloggedAttempts,
    fencedCommits: attempts.filter(isFenced).length,
    spoolReplays: history.passed.get('replay.applied-before-erase') ?? 0,
    recoverySeconds: { p50: rounded(0.5), max: rounded(1) },
  }
}

function isFenced({ commitRefusedAt, end }: AttemptHistory): boolean {
  return commitRefusedAt !== undefined && end?.outcome !== 'refreshed'
}
