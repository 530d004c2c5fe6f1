import { fileURLToPath } from 'node:url'
import { KILL_POINTS } from '@tokenkeeper/core'
import { spawnNode } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { createDeck, possibleFaults } from '../src/faults/deck.ts'
import { parseOptions } from '../src/options.ts'
import { createRandom } from '../src/random.ts'
import { dealRound } from '../src/rounds.ts'
import type { World } from '../src/world/world.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
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

test('a fault that does not exist is refused before anything starts, also beside one that does', async () => {
  await using chaos = spawnNode(MAIN, { args: ['--only', 'storm,typo'], env: {} })
  expect((await chaos.exited).code).toBe(1)
  expect(chaos.lines.join('\n')).toContain('There is no "typo": kill-at-random,')
  expect(deckOf(1, '--only', 'storm').deck.deal().name).toBe('storm')
})

test('a fault that cannot strike here is told', () => {
  const options = parseOptions(['--only', 'spool-full'])
  const random = createRandom(1)
  const possible = possibleFaults({ spoolDisk: null } as World)
  expect(() => createDeck(possible, { options, random } as World)).toThrow('No such fault here: spool-full.')
})
