import { MINUTE } from '@tokenkeeper/core'
import { until } from '@tokenkeeper/testkit'
import { holdAnswers, pileUp, refreshAll } from '../load.ts'
import { settle } from '../settle.ts'
import { connect, revoke } from '../world/people.ts'
import { inLanes, type User } from '../world/users.ts'
import type { World } from '../world/world.ts'
import type { Fault } from './fault.ts'
import { killAt, someWorkers } from './kill.ts'
import { goOn, stopAt } from './stop.ts'

const AT_VERDICT = 'dead.after-reread-before-verdict'
const STEPS = ['dead.before-reread', 'dead.witness-in-flight', AT_VERDICT, null] as const
const HELD = 'hold.applied'
/** A death needs two witnesses, five minutes apart; kills, and a directory that does not answer, cost further ones. */
const ROUNDS = 10
const WITNESS_MS = 6 * MINUTE
const PATIENCE_MS = 30_000
/** The clock moves far, so nobody else may be at work. */
const ALONE = ['workers', 'wire', 'store', 'spool', 'redis', 'pds', 'operators'] as const

/** Users end their sessions: that must be found, also by workers that die weighing it, and not of anybody else. */
export const deadSessions: Fault = {
  name: 'dead-sessions',
  uses: ALONE,
  weight: 3,
  steps: STEPS.filter((step) => step !== null),
  async run(world) {
    const { random, fleet } = world
    const users = someConnected(world)
    const point = random.pick(STEPS)
    await inLanes(users, 4, (user) => revoke(world, user))
    const dying = point && killAt(world, someWorkers(world), { point, gather: random.int(1, 3) })
    await refreshAll(world)
    await dying
    await fleet.complete()
    await inTheEndDead(world, users)
    await reconnect(world, users)
  },
}

/** The same, while the outcome of a refresh is unknown: the death is held back for a day. */
export const heldDeaths: Fault = {
  name: 'held-deaths',
  uses: ALONE,
  weight: 2,
  steps: [HELD],
  async run(world) {
    const { fleet, options } = world
    const held = holdAnswers(world)
    await refreshAll(world)
    await pileUp(held, options.workers * options.inFlight)
    const users = someConnected(world)
    await inLanes(users, 4, (user) => revoke(world, user))
    fleet.trapNewcomers([{ point: HELD, gather: 1, signal: 'SIGKILL' }])
    await Promise.all(fleet.workers().map(fleet.kill))
    held.release()
    await fleet.complete()
    await settle(world)
    fleet.trapNewcomers([])
    await fleet.complete()
    await inTheEndDead(world, users)
    await reconnect(world, users)
  },
}

/** A user reconnects while a worker is about to declare the old session dead. */
export const reconnectAtVerdict: Fault = {
  name: 'reconnect-at-verdict',
  uses: ALONE,
  weight: 1,
  steps: [AT_VERDICT],
  async run(world) {
    const [user] = someConnected(world)
    const workers = world.fleet.workers()
    await revoke(world, user!)
    const standingStill = stopAt(world, workers, { point: AT_VERDICT, gather: 1 })
    await refreshAll(world)
    const anyStands = () => standingStill().length > 0
    await until(anyStands, { what: 'a worker to come to a verdict', timeoutMs: PATIENCE_MS }).catch(() => {})
    await connect(world, user!)
    standingStill()
    goOn(world, workers)
  },
}

function someConnected({ random, users }: World): User[] {
  const connected = users.filter(({ accountId, revocations }) => accountId !== null && isOver(revocations))
  return random.sample(connected, random.int(2, 6))
}

function isOver(revocations: User['revocations']): boolean {
  return (revocations.at(-1)?.to ?? 0) < Number.POSITIVE_INFINITY
}

/** Time passes, with refreshes, until all of them are known to be dead. */
async function inTheEndDead(world: World, users: readonly User[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await settle(world)
    if (await allDead(world, users)) return
    world.clockFile.advance(WITNESS_MS)
    await refreshAll(world)
    const isTried = () => allTried(world, users)
    await until(isTried, { what: 'the dead to be asked again', timeoutMs: 180_000, everyMs: 200 })
  }
  await settle(world)
  if (!(await allDead(world, users))) throw new Error('Sessions that users ended are not found dead')
}

async function accountsOf({ context }: World, users: readonly User[]) {
  return context.store.accounts.getMany(users.flatMap(({ accountId }) => accountId ?? []))
}

async function allDead(world: World, users: readonly User[]): Promise<boolean> {
  return (await accountsOf(world, users)).every(({ status }) => status === 'needs_reconnect' || status === 'paused')
}

async function allTried(world: World, users: readonly User[]): Promise<boolean> {
  const since = world.clockFile.clock.now() - WITNESS_MS
  return (await accountsOf(world, users)).every(
    ({ status, lastAttempt }) => status !== 'active' || (lastAttempt?.at ?? 0) > since,
  )
}

/** Some of them at once; the others at the end. */
async function reconnect(world: World, users: readonly User[]): Promise<void> {
  await inLanes(users.slice(1), 4, (user) => connect(world, user))
}
