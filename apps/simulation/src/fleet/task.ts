import { type Clock, CodedError, toCodedError } from '@tokenkeeper/core'
import type { Random } from '../random.ts'
import type { World } from '../world.ts'
import { kill, type Process, survives } from './machine.ts'

/** One thing that a process does: a refresh, a replay, a removal. Ends with its last step, also one that nobody awaits. */
export interface Task {
  readonly name: string
  readonly process: Process
  /** The attempt that it began, or tried to. */
  attemptId: string | null
  /** The ids of the credentials that it presented, in order. */
  readonly presented: string[]
  /** A step of the process: happens in `ms`, unless the process is dead by then. Returns how to call it off. */
  step(ms: number, action: () => void): () => void
  /** A call that leaves the process. `remote` carries it out and gives one answer, which comes back in so many ms. */
  call<T>(remote: (answer: Answer<T>) => void): Promise<T>
  readonly clock: Clock
}

/** The first answer counts. `outcome` is what the process gets to know when it comes. */
export type Answer<T> = (ms: number, outcome: () => T) => void

/** Milliseconds mostly, at times so long that others go on meanwhile. */
export function latency(random: Random): number {
  return random.chance(0.9) ? random.spread(0.2, 5) : random.spread(5, 2_000)
}

/** Does `work` in the process. `done` is called when its own result is there. */
export function runTask<T>(
  world: World,
  process: Process,
  name: string,
  work: (task: Task) => Promise<T>,
  done: (result: T) => void = () => {},
): void {
  const { scheduler, checker } = world
  let pending = 0
  let settled = false
  const isDead = () => !process.alive

  const task: Task = {
    name: `${process.name} ${name}`,
    process,
    attemptId: null,
    presented: [],
    step(ms, action) {
      pending++
      let callOff = () => {}
      let open = true
      const happen = () => {
        const isHeldUp = process.pausedUntil > scheduler.now() || !survives(world, process)
        if (isHeldUp) {
          callOff = scheduler.in(process.pausedUntil - scheduler.now(), happen, isDead)
          return
        }
        close()
        action()
      }
      const close = () => {
        if (!open) return
        open = false
        pending--
        // What follows from this step has happened when the queue of promises is empty.
        if (pending === 0) scheduler.soon(endIfIdle)
      }
      callOff = scheduler.in(ms, happen, isDead)
      return () => {
        callOff()
        close()
      }
    },
    call: (remote) =>
      new Promise((resolve, reject) => {
        let answered = false
        pending++
        remote((ms, outcome) => {
          if (answered) return
          answered = true
          pending--
          task.step(ms, () => {
            try {
              resolve(outcome())
            } catch (error) {
              reject(error)
            }
          })
        })
      }),
    clock: {
      now: () => Math.floor(scheduler.now() + process.machine.skewMs),
      monotonic: () => scheduler.now(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve()
          const callOff = task.step(ms, resolve)
          signal?.addEventListener('abort', () => {
            callOff()
            resolve()
          })
        }),
    },
  }

  function endIfIdle(): void {
    if (pending > 0 || !settled || !process.alive) return
    checker.taskEnded(task)
    if (process.kind === 'cli') kill(world, process, null)
  }

  task.step(latency(world.random), () => {
    world.trace(() => `${task.name} begins`)
    work(task)
      .then(
        (result) => {
          world.trace(() => `${task.name} ends: ${JSON.stringify(result)}`)
          done(result)
        },
        (error: unknown) => {
          const { code } = toCodedError(error)
          world.trace(() => `${task.name} ends: ${code}`)
          if (!(error instanceof CodedError) || code === 'INTERNAL') checker.fail('I6', `${task.name}: ${error}`)
        },
      )
      .finally(() => {
        settled = true
        if (pending === 0) scheduler.soon(endIfIdle)
      })
      .catch((error: unknown) => checker.fail('the simulation', `${task.name}: ${error}`))
  })
}
