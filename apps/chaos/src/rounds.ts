import type { Deck } from './faults/deck.ts'
import type { Fault } from './faults/fault.ts'
import type { Arena } from './world/arena.ts'

/** One fault, and further ones as long as they want other things and chance will have it. */
export function dealRound<Place>(deck: Deck<Place>, another: () => boolean): Fault<Place>[] {
  const faults = [deck.deal()]
  while (faults.length < 3 && another()) {
    const fault = deck.deal()
    if (fault.uses.every((resource) => faults.every(({ uses }) => !uses.includes(resource)))) faults.push(fault)
    else deck.putBack(fault)
  }
  return faults
}

/** All at once, each with chances of its own, or their order would depend on who is faster. */
export async function strike<Place extends Arena>(place: Place, faults: readonly Fault<Place>[]): Promise<void> {
  await Promise.all(faults.map((fault) => fault.run({ ...place, random: place.random.fork() })))
}
