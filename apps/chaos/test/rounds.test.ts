import { KILL_POINTS } from '@tokenkeeper/core'
import { expect, test } from 'vitest'
import { createDeck, possibleFaults } from '../src/faults/deck.ts'
import { parseOptions } from '../src/options.ts'
import { createRandom } from '../src/random.ts'
import { dealRound } from '../src/rounds.ts'
import type { World } from '../src/world/world.ts'

const faults = possibleFaults({ spoolDisk: {} } as World)
const deckOf = (seed: number, ...args: string[]) => {
  const random = createRandom(seed)
  return { random, deck: createDeck(faults, { options: parseOptions(args), random } as World) }
}

test('the faults together kill at every kill point but those of Pages, which Bluesky has none of', () => {
  const reachable = KILL_POINTS.filter((point) => !point.startsWith('pages.'))
  expect(new Set(faults.flatMap(({ steps = [] }) => steps))).toEqual(new Set(reachable))
})

test('a seed deals the same rounds, whether people use their chances or not', () => {
  const [one, two] = [deckOf(7), deckOf(7)]
  for (let round = 0; round < 30; round++) {
    const [mine, others] = [dealRound(one.deck, one.random), dealRound(two.deck, two.random)]
    mine.chances.shuffle([1, 2, 3])
    expect(mine.faults).toEqual(others.faults)
  }
})

test('a fault that does not exist is refused, also beside one that does', () => {
  expect(() => deckOf(1, '--only', 'storm,typo')).toThrow('No such fault here: typo.')
  expect(deckOf(1, '--only', 'storm').deck.deal().name).toBe('storm')
})
