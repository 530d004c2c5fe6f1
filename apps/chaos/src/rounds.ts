import type { Deck } from './faults/deck.ts'
import type { Fault } from './faults/fault.ts'
import type { Random } from './random.ts'
import type { Arena } from './world/arena.ts'

/** What a round brings: the same for the same seed, whatever program the fleet runs. */
export interface Round<Place> {
  readonly faults: readonly Fault<Place>[]
  /** Of what people do before the faults strike, where there are people. */
  readonly chances: Random
}

/** One fault, and further ones as long as they want other things and chance will have it. */
export function dealRound<Place>(deck: Deck<Place>, random: Random): Round<Place> {
  const faults = [deck.deal()]
  while (faults.length < 3 && random.chance(0.4)) {
    const fault = deck.deal()
    if (fault.uses.every((resource) => faults.every(({ uses }) => !uses.includes(resource)))) faults.push(fault)
    else deck.putBack(fault)
  }
  return { faults, chances: random.fork() }
}

/** All at once, each with chances of its own, or their order would depend on who is faster. */
export async function strike<Place extends Arena>(place: Place, faults: readonly Fault<Place>[]): Promise<void> {
  await Promise.all(faults.map((fault) => fault.run({ ...place, random: place.random.fork() })))
}
