import { DEFAULT_DUE_POLICY } from '@tokenkeeper/core'
import { createEngine, DEFAULT_TIMES, type Engine, type EngineDeps } from '@tokenkeeper/engine'
import { createLoggers } from '@tokenkeeper/telemetry'
import { createProviders } from '../providers/providers.ts'
import { createModelSealer } from '../sealer.ts'
import { createFaultyTransport } from '../store/faulty-transport.ts'
import { createMemoryStore } from '../store/memory-store.ts'
import type { World } from '../world.ts'
import { reachPoint } from './machine.ts'
import { createMemorySpool } from './memory-spool.ts'
import { latency, type Task } from './task.ts'

const logger = createLoggers({ level: 'silent', format: 'json' })('engine')

/** The real engine, over a simulated everything. One for each task, so that whatever it does is known to be that task's. */
export function openEngine(world: World, task: Task): { readonly engine: Engine; readonly deps: EngineDeps } {
  const { process, clock } = task
  const makeId = () => world.count().toString(16).padStart(24, '0')
  const deps: EngineDeps = {
    clock,
    makeId() {
      const id = makeId()
      task.attemptId = id
      return id
    },
    random: world.random.next,
    store: createMemoryStore(createFaultyTransport(world, task)),
    sealer: createModelSealer(process.keyIds, world.count),
    providers: createProviders(world, task),
    spool: createMemorySpool(world, task),
    // A simulated disaster loses no database: nobody would read it.
    journal: { append() {}, prune: async () => 0, [Symbol.asyncDispose]: async () => {} },
    pacing: process.pacing,
    hook: (point) => {
      reachPoint(world, process, point)
      return new Promise((resolve) => task.step(latency(world.random), resolve))
    },
    logger,
    workerId: process.name,
    times: DEFAULT_TIMES,
    due: { ...DEFAULT_DUE_POLICY, rotateEveryMs: world.plan.rotateEveryMs },
  }
  const altered = world.mutation?.alter?.(deps, task) ?? deps
  return { engine: createEngine(altered), deps: altered }
}
