import { CodedError, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'
import { reachPoint } from '../fleet/machine.ts'
import { type Answer, latency, type Task } from '../fleet/task.ts'
import type { World } from '../world.ts'
import type { About, Change } from './database.ts'
import type { Transport } from './memory-store.ts'

/** How long a process waits for a store that does not answer, at the most (ms). */
const GIVE_UP_AFTER_MS = 5 * SECOND

/** The way to the store from a task, on which calls and acknowledgements may be held up or lost. */
export function createFaultyTransport(world: World, task: Task): Transport {
  const { scheduler, faults, random, database, conditions, plan } = world
  const isAway = () => conditions.storeAwayUntil > scheduler.now()
  const way = () => latency(random)

  function read<T>(name: string, query: Change<T>): Promise<T> {
    return task.call((answer) => {
      scheduler.in(way(), () => {
        if (isAway() || faults.strikes('store.read-fails')) unavailable(answer, `${name} finds no store`)
        else {
          const result = query(world.mutation?.readsLocally?.(task) ? database.primary : database.majority)
          world.trace(() => `${task.name}: ${name}`)
          answer(way(), () => result)
        }
      })
    })
  }

  function write<T>(about: About, change: Change<T>): Promise<T> {
    return task.call((answer) => {
      if (faults.strikes('store.away')) beAway(random.duration(SECOND, 5 * HOUR))
      if (about.name === 'commit' && faults.strikes('store.away-at-commit')) beAway(random.duration(HOUR, 5 * HOUR))
      if (faults.strikes('store.write-lost')) unavailable(answer, `${about.name} is lost`)
      else if (faults.strikes('store.lands-late')) {
        const ms = random.duration(100, HOUR)
        faults.troubleUntil(scheduler.now() + ms)
        unavailable(answer, `${about.name} is under way for long`)
        scheduler.in(ms, () => land(about, change, answer))
      } else {
        const ms = faults.strikes('store.slow') ? random.duration(100, 20 * SECOND) : way()
        scheduler.in(ms, () => land(about, change, answer))
      }
    })
  }

  /** The write arrives at the primary. */
  function land<T>(about: About, change: Change<T>, answer: Answer<T>): void {
    const { name } = about
    if (isAway()) unavailable(answer, `${name} finds no store`)
    else {
      try {
        const result: T = database.apply(about, change, (durable) => {
          if (durable) acknowledge(about, result, answer)
          else unavailable(answer, `${name} is rolled back`)
        })
        world.trace(() => `${task.name}: ${name} ${result === false ? 'does not match' : 'is applied'}`)
        replicate(about, answer)
      } catch (error) {
        answer(way(), () => {
          throw error
        })
      }
    }
  }

  /** A majority gets what the primary has by now; or the primary goes down, perhaps after it was cut off for a while. */
  function replicate({ name }: About, answer: Answer<never>): void {
    const position = database.ahead
    if (faults.strikes('store.fail-over')) {
      const ms = random.duration(1, MINUTE)
      conditions.cutOffUntil = scheduler.now() + ms
      unavailable(answer, `${name} reaches no majority`)
      const failOver = () => {
        world.trace(() => 'the store fails over')
        database.failOver()
        beAway(random.duration(SECOND / 10, 10 * SECOND))
      }
      scheduler.in(ms, failOver, () => conditions.calm)
    } else if (!plan.rates.has('store.fail-over')) {
      // Nobody could tell the primary from the others.
      database.replicate()
    } else if (conditions.cutOffUntil <= scheduler.now()) {
      scheduler.in(way(), () => {
        if (conditions.cutOffUntil <= scheduler.now()) database.replicate(Math.min(position, database.ahead))
      })
    }
  }

  function acknowledge<T>(about: About, result: T, answer: Answer<T>): void {
    if (about.when && result) reachPoint(world, task.process, `${about.name}.applied-before-ack`)
    if (faults.strikes('store.acknowledgement-lost')) unavailable(answer, `${about.name} is not acknowledged`)
    else if (about.when && faults.strikes('store.unmatched')) {
      world.trace(() => `${task.name}: ${about.name} is not known to have matched`)
      answer(way(), () => false as T)
    } else answer(way(), () => result)
  }

  function beAway(ms: number): void {
    world.trace(() => `the store is away for ${Math.round(ms / SECOND)} s`)
    conditions.storeAwayUntil = Math.max(conditions.storeAwayUntil, scheduler.now() + ms)
    faults.troubleUntil(conditions.storeAwayUntil)
  }

  function unavailable(answer: Answer<never>, what: string): void {
    world.trace(() => `${task.name}: ${what}`)
    answer(random.spread(1, GIVE_UP_AFTER_MS), () => {
      throw new CodedError('STORE_UNAVAILABLE')
    })
  }

  return { read, write }
}
