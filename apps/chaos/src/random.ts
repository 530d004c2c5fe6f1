/** Choices that a seed repeats. */
export interface Random {
  /** In [0, 1). */
  next(): number
  /** From low to high, both included. */
  int(low: number, high: number): number
  chance(share: number): boolean
  pick<T>(items: readonly T[]): T
  /** A new array in another order. */
  shuffle<T>(items: readonly T[]): T[]
  /** Up to `count` of them. */
  sample<T>(items: readonly T[], count: number): T[]
  /** One of its own for something whose number of choices is not known. */
  fork(): Random
}

/** mulberry32: small, and good enough to mix faults. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  function shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = int(0, last)
      ;[shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!]
    }
    return shuffled
  }
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: (items) => items[int(0, items.length - 1)]!,
    shuffle,
    sample: (items, count) => shuffle(items).slice(0, count),
    fork: () => createRandom(int(0, 2 ** 32 - 1)),
  }
}
