import { CodedError, HOUR, SECOND } from '@tokenkeeper/core'
import type { OrphanSpool, Spool } from '@tokenkeeper/engine'
import type { World } from '../world.ts'
import { reachPoint, type SpooledResult, type SpoolFile } from './machine.ts'
import { latency, type Task } from './task.ts'

/** A process's spool on the disk of its machine, as a task uses it. */
export function createMemorySpool(world: World, task: Task): Spool {
  const { process } = task
  const { machine, spool: own } = process
  const { faults, conditions, scheduler, random } = world

  function write(action: () => void): void {
    if (faults.strikes('spool.full')) {
      conditions.spoolFullUntil = scheduler.now() + random.duration(SECOND, HOUR)
      faults.troubleUntil(conditions.spoolFullUntil)
    }
    if (conditions.spoolFullUntil > scheduler.now()) throw new CodedError('SPOOL_UNAVAILABLE')
    action()
  }

  const erase = ({ results }: SpoolFile) => {
    return (attemptId: string) => {
      const result = results.get(attemptId)
      if (!result) return
      results.delete(attemptId)
      world.trace(() => `${task.name}: erased from a spool of ${machine.name}`)
      world.checker.erased(result)
    }
  }

  const point = (name: string) => {
    reachPoint(world, process, name)
    return new Promise<void>((resolve) => task.step(latency(random), resolve))
  }

  return {
    check: () => write(() => {}),
    async put(result) {
      await point('spool.before-fsync')
      write(() => {
        own.results.set(result.attempt.id, result)
        world.trace(() => `${task.name}: spooled on ${machine.name}`)
      })
      await point('spool.after-fsync')
    },
    erase: erase(own),
    own: () => [...own.results.values()],
    *orphans() {
      for (const file of machine.spools) {
        if (file === own || file.owner.alive || file.lockedBy.alive) continue
        file.lockedBy = process
        try {
          yield { results: [...file.results.values()], unreadable: [], erase: erase(file) } satisfies OrphanSpool
          if (file.results.size === 0) machine.spools = machine.spools.filter((one) => one !== file)
        } finally {
          file.lockedBy = file.owner
        }
      }
    },
    [Symbol.dispose]() {},
  }
}

/** All answers that lie on disks which are not lost. */
export function spooledResults({ machines }: World): SpooledResult[] {
  return machines.flatMap(({ spools }) => spools.flatMap(({ results }) => [...results.values()]))
}
