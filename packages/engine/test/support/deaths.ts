import type { Account } from '@tokenkeeper/core'
import { expect } from 'vitest'
import type { Mission } from './actor-process.ts'
import type { MatrixWorld } from './matrix-world.ts'
import { newKey } from './storage.ts'

/** How a process comes to die at a kill point. */
export interface Death {
  readonly point: string
  /** The provider gave its answer and nobody kept it: after the grace, nothing can save the session. */
  readonly answerLost?: boolean
  die(world: MatrixWorld, account: Account): Promise<void>
}

type KillMission = Omit<Mission, 'scene' | 'kill'>

/** Runs a process that must die of its kill point. `meanwhile` acts while it runs. */
export async function kill(
  world: MatrixWorld,
  point: string,
  mission: KillMission,
  meanwhile?: (process: ReturnType<MatrixWorld['run']>) => Promise<void>,
): Promise<void> {
  await using process = world.run({ ...mission, kill: { point, signal: 'SIGKILL' } })
  await meanwhile?.(process)
  const exit = await process.exited
  expect(exit.signal, process.lines.join('\n')).toBe('SIGKILL')
}

const refreshing = (account: Account): KillMission => ({ action: 'refresh', accountIds: [account.id] })

/** Dies in the course of a plain refresh. */
function plain(point: string, answerLost = false): Death {
  return { point, answerLost, die: (world, account) => kill(world, point, refreshing(account)) }
}

/** Nobody can write the database from the moment that the provider has answered until `until` is printed. */
export async function storeAwayAtAnswer(
  world: MatrixWorld,
  process: ReturnType<MatrixWorld['run']>,
  until: string,
): Promise<void> {
  const answer = world.proxy.fault({ kind: 'hold', times: 1 })
  await answer.reached
  const unlock = await world.witness.lock()
  answer.release()
  try {
    await process.waitForLine(new RegExp(`^@${until}$`))
  } finally {
    await unlock()
  }
}

/** Dies where the store is away when the answer comes. */
function spooling(point: string, until: string, answerLost = false): Death {
  const die: Death['die'] = (world, account) =>
    kill(world, point, refreshing(account), (process) => storeAwayAtAnswer(world, process, until))
  return { point, answerLost, die }
}

/** Leaves an answer in a dead process's spool. */
const leaveSpooled = spooling('spool.after-fsync', 'spool.after-fsync').die

/** Every kill point of a refresh, of its recovery and of its replay. */
export const DEATHS: readonly Death[] = [
  plain('begin.before-write'),
  plain('begin.applied-before-ack'),
  plain('begin.acked'),
  plain('send.checked-not-sent'),
  plain('send.in-flight', true),
  {
    point: 'send.processed-no-reply',
    answerLost: true,
    async die(world, account) {
      await using process = world.run(refreshing(account))
      const answer = world.proxy.fault({ kind: 'hold', times: 1 })
      await answer.reached
      process.kill('SIGKILL')
      await process.exited
      answer.release()
    },
  },
  plain('reply.received', true),
  plain('commit.before-write', true),
  plain('commit.applied-before-ack'),
  plain('commit.acked-before-relay'),
  plain('relay.inserted-before-pull'),
  {
    point: 'commit.batch-half-resolved',
    async die(world, account) {
      const others = await Promise.all([world.connect(), world.connect(), world.connect()])
      const accountIds = [account.id, ...others.map((other) => other.account.id)]
      await kill(world, 'commit.batch-half-resolved', { action: 'refresh-many', accountIds })
    },
  },
  spooling('spool.before-fsync', 'spool.before-fsync', true),
  spooling('spool.after-fsync', 'spool.after-fsync'),
  spooling('relay.before-spool-erase', 'spool.after-fsync'),
  {
    point: 'release.before-write',
    async die(world, account) {
      world.proxy.fault({ kind: 'status', status: 502, times: 1 })
      await kill(world, 'release.before-write', refreshing(account))
    },
  },
  {
    point: 'replay.before-write',
    async die(world, account) {
      await leaveSpooled(world, account)
      await kill(world, 'replay.before-write', { action: 'replay', accountIds: [] })
    },
  },
  {
    point: 'replay.applied-before-erase',
    async die(world, account) {
      await leaveSpooled(world, account)
      await kill(world, 'replay.applied-before-erase', { action: 'replay', accountIds: [] })
    },
  },
  recovering('recovery.begin-acked'),
  recovering('recovery.in-flight'),
  {
    point: 'reseal.read-before-write',
    async die(world, account) {
      const keys = `${newKey('k2')},${world.scene.keys}`
      await kill(world, 'reseal.read-before-write', { action: 'reseal', accountIds: [account.id], keys })
    },
  },
]

/** A first death with the token spent, and a second in the recovery. */
function recovering(point: string): Death {
  return {
    point,
    answerLost: true,
    async die(world, account) {
      await kill(world, 'reply.received', refreshing(account))
      world.clockFile.advance(13_000)
      await kill(world, point, refreshing(account))
    },
  }
}
