import { MINUTE } from '@tokenkeeper/core'
import type { Random } from './random.ts'

/** What may go wrong, and how often at the most: the probability at each occasion, where a schedule is full of it. */
export const FAULTS = {
  /** The write is applied and durable; its caller hears an error. */
  'store.acknowledgement-lost': 0.3,
  /** The same, and its caller hears that it is not known to have matched. */
  'store.unmatched': 0.3,
  'store.write-lost': 0.3,
  /** Its caller hears an error, and later the write arrives all the same. */
  'store.lands-late': 0.3,
  'store.slow': 0.3,
  /** The primary goes down before a majority has the write, at once or in a while; what it alone had is gone. */
  'store.fail-over': 0.15,
  'store.away': 0.1,
  'store.away-at-commit': 0.7,
  'store.read-fails': 0.1,
  'request.refused': 0.5,
  'request.lost': 0.6,
  'request.late': 0.4,
  'response.lost': 0.8,
  'response.late': 0.5,
  'provider.rate-limit': 0.5,
  'provider.error': 0.6,
  /** A firewall before the provider answers 401 with HTML. */
  'provider.html-401': 0.5,
  /** The request was carried out; a proxy makes a 502 of the answer, or cuts it. */
  'provider.bad-gateway': 0.5,
  /** The code of a dead token, once or for less than the least time between two witnesses. */
  'provider.false-dead': 0.3,
  /** It comes back from a backup and has forgotten the session that it issued last. Once in a schedule. */
  'provider.restored': 0.3,
  /** The user has to do something there before it answers again. */
  'provider.checkpoint': 0.3,
  /** The other ways to ask it (identity, debug_token) give no answer. */
  'provider.witness-silent': 0.6,
  'process.crash': 0.06,
  /** Held up, perhaps past its lease, and goes on where it was. */
  'process.pause': 0.06,
  /** Gone with its disk for a while, or for ever. */
  'machine.away': 0.03,
  'machine.lost': 0.03,
  /** The same at the schedule's own point of the protocol, where it matters most. */
  'point.crash': 0.7,
  'point.pause': 0.7,
  'point.away': 0.7,
  /** A job's lock is taken for lost, and another worker runs it again. */
  'job.stalled': 0.3,
  'spool.full': 0.3,
  'key.missing': 0.5,
  'clock.skew': 1,
} as const

export type Fault = keyof typeof FAULTS

export interface Faults {
  /** Whether this happens now. */
  strikes(fault: Fault): boolean
  /** Notes that something is wrong until then (ms since the epoch). */
  troubleUntil(time: number): void
  /** Whether something was wrong at any time between the two. */
  wasTrouble(from: number, to: number): boolean
  /** From now on things go wrong, and from then on no more. */
  start(): void
  stop(): void
  /** What happened so far, by its kinds. */
  readonly struck: readonly Fault[]
}

/** At first all is well: faults begin with `start`. */
export function createFaults(options: {
  readonly random: Random
  readonly now: () => number
  readonly rates: ReadonlyMap<Fault, number>
  /** How many may happen in all. */
  readonly budget: number
}): Faults {
  const { random, now, rates } = options
  const troubles: { readonly from: number; readonly to: number }[] = []
  const struck: Fault[] = []
  let left = 0
  const troubleUntil = (to: number) => void troubles.push({ from: now(), to })
  return {
    struck,
    strikes(fault) {
      if (left === 0) return false
      const rate = rates.get(fault)
      if (rate === undefined || !random.chance(rate)) return false
      left--
      struck.push(fault)
      troubleUntil(now() + MINUTE)
      return true
    },
    troubleUntil,
    wasTrouble: (from, to) => troubles.some((trouble) => trouble.from <= to && trouble.to >= from),
    start() {
      left = options.budget
    },
    stop() {
      left = 0
    },
  }
}
