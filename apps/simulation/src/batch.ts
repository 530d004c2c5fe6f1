import type { Counts, Violation } from './check/checker.ts'
import { MUTATIONS } from './mutations/mutations.ts'
import { runSchedule } from './simulate.ts'

/** Schedules of neighbouring seeds. */
export interface Batch {
  /** The first one's seed. */
  readonly seed: number
  readonly runs: number
  /** The name of the mutation whose rule is switched off. */
  readonly without?: string
  /** Ends at the first schedule that breaks what the mutation is to break. */
  readonly untilFound?: boolean
}

export interface BatchResult {
  readonly runs: number
  readonly steps: number
  readonly faults: number
  readonly counts: Counts
  /** Of each schedule that breaks an invariant its seed, and what it breaks first. */
  readonly failures: readonly Failure[]
}

export interface Failure extends Violation {
  readonly seed: number
}

export const NO_RESULT: BatchResult = {
  runs: 0,
  steps: 0,
  faults: 0,
  counts: { refreshes: 0, latePresentations: 0, witnesses: 0, recoveries: 0, deadBeyondHold: 0, lost: 0 },
  failures: [],
}

export async function runBatch({ seed, runs, without, untilFound = false }: Batch): Promise<BatchResult> {
  const mutation = MUTATIONS.find(({ name }) => name === without) ?? null
  let sum = NO_RESULT
  for (let i = 0; i < runs; i++) {
    const { violations, counts, struck, steps } = await runSchedule(seed + i, { mutation })
    const [first] = violations
    const failures = first ? [{ seed: seed + i, ...first }] : []
    sum = add(sum, { runs: 1, steps, faults: struck.length, counts, failures })
    if (untilFound && first && mutation?.breaks.some((one) => one === first.invariant)) break
  }
  return sum
}

export function add(a: BatchResult, b: BatchResult): BatchResult {
  return {
    runs: a.runs + b.runs,
    steps: a.steps + b.steps,
    faults: a.faults + b.faults,
    counts: {
      refreshes: a.counts.refreshes + b.counts.refreshes,
      latePresentations: a.counts.latePresentations + b.counts.latePresentations,
      witnesses: a.counts.witnesses + b.counts.witnesses,
      recoveries: a.counts.recoveries + b.counts.recoveries,
      deadBeyondHold: a.counts.deadBeyondHold + b.counts.deadBeyondHold,
      lost: a.counts.lost + b.counts.lost,
    },
    failures: [...a.failures, ...b.failures],
  }
}
