import { type Account, type AccountStatus, MINUTE, SECOND } from '@tokenkeeper/core'
import type { Engine, EngineDeps } from '@tokenkeeper/engine'
import { staleAt } from '../store/accounts.ts'
import type { World } from '../world.ts'
import { type Process, workersAtWork } from './machine.ts'
import { openEngine } from './open-engine.ts'
import { runTask } from './task.ts'

const NEVER = Number.POSITIVE_INFINITY
const SWEPT: readonly AccountStatus[] = ['active', 'needs_action', 'quarantined']
const PLATFORMS = ['bluesky', 'meta'] as const

/** One of the things that every worker does again and again. */
interface Loop {
  readonly name: string
  readonly everyMs: number
  /** From when on a round would find something to do; rounds that would find nothing are left out. */
  from(world: World, process: Process): number
  round(world: World, engine: Engine, deps: EngineDeps): Promise<void>
}

/** At the intervals of packages/queue. */
const LOOPS: readonly Loop[] = [
  {
    name: 'looks for stale attempts',
    everyMs: 4 * SECOND,
    from: (world) => earliest(world, (account) => (world.jobs.has(account.id) ? NEVER : staleAt(account))),
    async round(world, _engine, { store, clock }) {
      for (const { id } of await store.accounts.stale({ now: clock.now(), limit: 100 })) enqueueOnce(world, id)
    },
  },
  {
    name: 'sweeps',
    everyMs: MINUTE,
    from: (world) => earliest(world, (account) => dueAt(world, account)),
    async round(world, _engine, { store, clock }) {
      for (const platform of PLATFORMS) {
        const query = { platform, statusIn: SWEPT, before: clock.now(), after: null, limit: 100 }
        for (const { id } of await store.accounts.due(query)) enqueueOnce(world, id)
      }
    },
  },
  {
    name: 'finishes what is left over',
    everyMs: 15 * SECOND,
    from: (world) =>
      earliest(world, ({ outbox, status }) =>
        outbox.length > 0 || status === 'removing' ? world.scheduler.now() : NEVER,
      ),
    async round(_world, engine, { store }) {
      for (const id of await store.accounts.withOutbox({ afterId: null, limit: 100 })) await engine.relayAccount(id)
      for (const platform of PLATFORMS) {
        const query = { platform, statusIn: ['removing'], before: NEVER, after: null, limit: 100 } as const
        for (const { id } of await store.accounts.due(query)) await engine.removeAccount(id, 'recovery')
      }
    },
  },
  {
    name: 'replays spools',
    everyMs: MINUTE,
    from: (world, process) => (hasSpooled(process) ? unlessAway(world, world.scheduler.now()) : NEVER),
    async round(_world, engine) {
      await engine.replaySpools()
    },
  },
]

export interface NextRound {
  readonly at: number
  start(): void
}

/** The loops of all workers. */
export function createLoops(world: World): { nextRound(): NextRound | null } {
  const { scheduler, random } = world
  /** When the loop of a process may have its next round; Infinity while one is under way. */
  const readyAt = new Map<Process, number[]>()

  function start(process: Process, i: number): void {
    const ready = readyAt.get(process)!
    const { name, everyMs, round } = LOOPS[i]!
    ready[i] = NEVER
    runTask(world, process, name, async (task) => {
      const { engine, deps } = openEngine(world, task)
      try {
        await round(world, engine, deps)
      } finally {
        ready[i] = scheduler.now() + everyMs
      }
    })
  }

  return {
    nextRound() {
      let next: { at: number; process: Process; loop: number } | null = null
      for (const process of workersAtWork(world)) {
        let ready = readyAt.get(process)
        if (!ready) {
          // A new process begins with a round of each.
          ready = LOOPS.map(() => scheduler.now() + random.spread(1, 100))
          readyAt.set(process, ready)
        }
        for (const [loop, { from, everyMs }] of LOOPS.entries()) {
          if (ready[loop] === NEVER) continue
          const wanted = from(world, process)
          if (wanted === NEVER) continue
          // A loop that has been idle comes by some time within its interval.
          const at = Math.max(ready[loop]!, wanted > ready[loop]! ? wanted + phase(process, loop) * everyMs : wanted)
          if (next === null || at < next.at) next = { at, process, loop }
        }
      }
      if (next === null) return null
      const { at, process, loop } = next
      return { at, start: () => start(process, loop) }
    },
  }
}

/** Where in the interval the loop of a process stands: in [0, 1), and always the same. */
function phase({ name }: Process, loop: number): number {
  let hash = loop + 1
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0
  return ((hash >>> 8) & 0xff) / 256
}

function earliest(world: World, of: (account: Account) => number): number {
  let at = NEVER
  for (const account of world.database.majority.accounts.values()) at = Math.min(at, of(account))
  return unlessAway(world, at)
}

/** Rounds that would only find the store away are left out. */
function unlessAway({ conditions }: World, at: number): number {
  return Math.max(at, conditions.storeAwayUntil)
}

/** When everything is to come to rest, a healthy account that falls due in days is not waited for. */
function dueAt({ conditions, jobs }: World, { id, status, attempt, failure, nextRefreshAt }: Account): number {
  // Attempts are looked for by themselves, but for those of quarantined accounts.
  const isSwept = SWEPT.includes(status) && (attempt === null || status === 'quarantined')
  if (!isSwept || jobs.has(id)) return NEVER
  return conditions.calm && status === 'active' && failure === null ? NEVER : nextRefreshAt
}

function hasSpooled({ machine, spool }: Process): boolean {
  return machine.spools.some(
    (file) => file.results.size > 0 && (file === spool || (!file.owner.alive && !file.lockedBy.alive)),
  )
}

/** As the queue keeps it: one job an account. */
function enqueueOnce({ jobs }: World, accountId: string): void {
  if (!jobs.has(accountId)) jobs.enqueue(accountId)
}
