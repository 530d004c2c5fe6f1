import { DAY, HOUR, KILL_POINTS, MINUTE, SECOND } from '@tokenkeeper/core'
import { FAULTS, type Fault } from './faults.ts'
import type { Random } from './random.ts'

/** What people do. */
export const ACTS = [
  'refresh',
  'refresh-twice',
  'pause',
  'resume',
  'reconnect',
  'remove',
  'new-key',
  'revoke',
  'revoke-and-reconnect',
  'remove-and-reconnect',
] as const
export type Act = (typeof ACTS)[number]

/** What a schedule is made of, drawn from its seed before it begins. */
export interface Plan {
  readonly accounts: readonly ('grace' | 'extend')[]
  readonly machines: number
  readonly workers: number
  readonly rates: ReadonlyMap<Fault, number>
  readonly budget: number
  /** Where a process dies or is held up, if the schedule has such a fault. */
  readonly point: string
  /** A single death and nothing else goes wrong. */
  readonly lonelyDeath: boolean
  /** The queue loses the jobs of a worker that dies or is held up: what they began is found in the store alone. */
  readonly losesJobs: boolean
  readonly acts: readonly { readonly at: number; readonly act: Act }[]
  /** When the faults and the people stop (ms from the start). */
  readonly endsAt: number
  /** A session's next refresh is due this long after the last one (ms). */
  readonly rotateEveryMs: number
  /** How long a token of the kind `extend` lives at first (ms). */
  readonly firstLifeMs: number
}

const ALL_FAULTS = Object.keys(FAULTS) as Fault[]

/** What chance would hardly ever bring together in the order in which it matters. */
interface Combination {
  readonly faults: readonly Fault[]
  readonly point?: (typeof KILL_POINTS)[number]
  /** Of its only account. */
  readonly kind?: 'extend'
  readonly acts?: readonly Act[]
}

const COMBINATIONS: readonly Combination[] = [
  // The only successor is on a disk that is away.
  { faults: ['store.away-at-commit', 'point.away'], point: 'spool.after-fsync' },
  { faults: ['store.away-at-commit', 'point.crash', 'machine.away'], point: 'spool.after-fsync' },
  // The witness is heard too late.
  { faults: ['provider.false-dead', 'response.late'], acts: ['refresh', 'refresh'] },
  { faults: ['provider.restored', 'response.late'], acts: ['refresh', 'refresh'] },
  // What the primary alone has is looked up, spooled, and rolled back.
  { faults: ['store.fail-over', 'store.slow'] },
  // An unknown outcome meets something that asks for patience.
  { faults: ['response.lost', 'provider.false-dead'] },
  { faults: ['response.lost', 'provider.checkpoint'] },
  // A verdict is held up while the user logs in.
  { faults: ['point.pause'], point: 'dead.after-reread-before-verdict', acts: ['revoke-and-reconnect', 'refresh'] },
  // The account is paused while a refresh is under way.
  { faults: ['provider.false-dead', 'request.late'], acts: ['refresh', 'pause'] },
  // A reconnect that does not know whether it arrived is overtaken by others.
  { faults: ['store.acknowledgement-lost'], acts: ['reconnect', 'reconnect', 'remove-and-reconnect'] },
  // Of two answers to one extended token the one that ends sooner gets in first.
  { faults: ['point.pause'], point: 'commit.before-write', kind: 'extend', acts: ['refresh', 'refresh'] },
]

/**
 * Each schedule has few kinds of faults, and few of them: which ones go together is left to chance, so that none drowns
 * the others. One in ten has a single death and nothing else, to measure how fast it is recovered.
 */
export function drawPlan(random: Random): Plan {
  const lonelyDeath = random.chance(0.1)
  const combination = !lonelyDeath && random.chance(0.3) ? random.pick(COMBINATIONS) : null
  const endsAt = combination ? 3 * DAY : random.duration(20 * SECOND, 3 * DAY)
  const others = Array.from({ length: 2 + random.below(5) }, () => drawAct(random, lonelyDeath))
  const acts = [...(combination?.acts ?? []), ...others].map((act) => ({
    at: random.chance(0.3) ? random.spread(1, endsAt) : random.spread(1, 5 * SECOND),
    act,
  }))
  return {
    accounts: drawAccounts(random, combination?.kind),
    machines: 1 + random.below(2),
    workers: 2 + random.below(2),
    rates: drawRates(random, lonelyDeath ? ['process.crash'] : combination?.faults),
    point: combination?.point ?? random.pick(KILL_POINTS),
    lonelyDeath,
    budget: lonelyDeath ? 1 : combination ? 8 : random.pick([1, 2, 3, 5, 8]),
    losesJobs: random.chance(0.3),
    acts: [{ at: 0, act: random.pick(['refresh', 'refresh-twice']) }, ...acts],
    endsAt,
    rotateEveryMs: combination ? 7 * DAY : random.pick([2 * HOUR, DAY, 7 * DAY]),
    firstLifeMs: random.pick([90 * MINUTE, 2 * DAY, 60 * DAY]),
  }
}

function drawRates(random: Random, given: readonly Fault[] | undefined): Map<Fault, number> {
  const rates = new Map<Fault, number>()
  for (const fault of given ?? Array.from({ length: 1 + random.below(6) }, () => random.pick(ALL_FAULTS))) {
    rates.set(fault, FAULTS[fault] * (given ? 1 : random.pick([0.2, 0.5, 1])))
  }
  return rates
}

function drawAccounts(random: Random, given: 'extend' | undefined): Plan['accounts'] {
  if (given) return [given]
  return random.chance(0.8) ? [drawKind(random)] : [drawKind(random), drawKind(random)]
}

function drawKind(random: Random): 'grace' | 'extend' {
  return random.chance(0.7) ? 'grace' : 'extend'
}

function drawAct(random: Random, onlyRefresh: boolean): Act {
  if (onlyRefresh || random.chance(0.5)) return random.pick(['refresh', 'refresh-twice'])
  return random.pick(ACTS)
}
