import { GRACE_MS } from '@tokenkeeper/core'
import { DEFAULT_TIMES } from '@tokenkeeper/engine'

const { ackMs, leaseMs, providerTimeoutMs, witnessMs, holdMs } = DEFAULT_TIMES
const LIMITS = [ackMs, leaseMs, providerTimeoutMs, witnessMs, GRACE_MS, holdMs]

/** The one source of chance of a schedule: the same seed gives the same numbers. */
export interface Random {
  /** In [0, 1). */
  next(): number
  chance(probability: number): boolean
  /** A whole number in [0, below). */
  below(below: number): number
  pick<T>(from: readonly T[]): T
  /** How long something lasts (ms), in between: often about as long as one of the times that the protocol knows. */
  duration(from: number, to: number): number
  /** Between the two, all orders of magnitude alike: a delay of milliseconds is as likely as one of hours. */
  spread(from: number, to: number): number
}

/** Mulberry32. Neighbouring seeds are scattered first, so that they give unrelated numbers. */
export function createRandom(seed: number): Random {
  let state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b)
  state = Math.imul(state ^ (state >>> 16), 0x45d9f3b)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const spread = (from: number, to: number) => from * (to / from) ** next()
  return {
    next,
    chance: (probability) => next() < probability,
    below: (below) => Math.floor(next() * below),
    pick: (from) => from[Math.floor(next() * from.length)]!,
    spread,
    duration(from, to) {
      const limits = LIMITS.filter((limit) => 0.9 * limit >= from && 1.3 * limit <= to)
      if (limits.length === 0 || next() < 0.5) return spread(from, to)
      return limits[Math.floor(next() * limits.length)]! * (0.9 + 0.4 * next())
    },
  }
}
