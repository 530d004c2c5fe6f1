import { createDeck, possibleFaults } from './faults/deck.ts'
import { endOfShift, resumePaused } from './faults/people-at-work.ts'
import { WEEK } from './load.ts'
import { dealRound, strike } from './rounds.ts'
import { lookAtAll, passTime, settle } from './settle.ts'
import { interrupted } from './verdict/interruptions.ts'
import { passLastWeek } from './verdict/last-week.ts'
import { recoverySeconds } from './verdict/recovery.ts'
import { judge, type Verdict } from './verdict/verdict.ts'
import type { World } from './world/world.ts'

/** Round after round: a week passes, all accounts are refreshed, faults strike, and what they left is recovered. */
export async function run(world: World, say: (line: string) => void): Promise<Verdict> {
  const { fleet, options, random } = world
  const deck = createDeck(possibleFaults(world), world)
  const recoveries: number[] = []
  let count = 0
  for (let round = 1; count < options.interruptions && round <= options.rounds; round++) {
    const { faults, chances } = dealRound(deck, random)
    const begunAt = Date.now()
    await resumePaused({ ...world, random: chances })
    await passTime(world, WEEK)
    await strike(world, faults)
    if (faults.length === 1 && faults[0]!.killsOnly) {
      await settle(world, { keepTime: true })
      await lookAtAll(world)
      recoveries.push(...recoverySeconds(world, begunAt, Date.now()))
    }
    await fleet.complete()
    await settle(world)
    count = interrupted(world.history, fleet).length
    const seconds = Math.round((Date.now() - begunAt) / 1_000)
    const names = faults.map(({ name }) => name).join(' + ')
    say(`${round} ${names}: ${count} interrupted, ${fleet.kills} killed, ${seconds} s`)
  }
  await endOfShift(world)
  await settle(world, { fully: true })
  const forgotten = await passLastWeek(world)
  await fleet.stop()
  sayHowTheyDied(world, say)
  return judge(world, { recoveries, forgotten }, say)
}

function sayHowTheyDied({ history, fleet }: World, say: (line: string) => void): void {
  const points = Map.groupBy(history.fired, ({ point }) => point)
  for (const [point, traps] of points) {
    const gathered = traps.reduce((sum, trap) => sum + trap.gathered, 0)
    say(`${traps.length} times at ${point}, with ${gathered} attempts there`)
  }
  for (const [words, count] of fleet.lastWords) say(`${count} ended by themselves: ${words}`)
}
