import { DAY } from '@tokenkeeper/core'
import { refreshAll } from '../load.ts'
import type { Action } from '../processes/orders.ts'
import { allAccounts } from '../world/leap.ts'
import { connect, persist, remove } from '../world/people.ts'
import { inLanes, type User } from '../world/users.ts'
import type { World } from '../world/world.ts'
import type { Fault } from './fault.ts'

/** Where the process dies in which they work, if it does. */
const STEPS = [
  'reconnect.logged-in-before-write',
  'reconnect.applied-before-ack',
  'reseal.read-before-write',
  'remove.marked-before-relay',
  null,
  null,
] as const
/** In one shift. */
const ACTIONS = 24
const PEOPLE = 6
/** Longer than it takes until the next look. */
const LAST_CALL_MS = 30 * DAY

type Deed = 'pause' | 'resume' | 'reseal' | 'refresh' | 'reconnect' | 'remove'
const DEEDS: readonly Deed[] = [
  'pause',
  'pause',
  'resume',
  'resume',
  'reseal',
  'reseal',
  'reseal',
  'refresh',
  'refresh',
  'reconnect',
  'remove',
]

/** Operators and users at work while everything is refreshed. */
export const peopleAtWork: Fault = {
  name: 'people-at-work',
  uses: ['operators'],
  weight: 8,
  steps: STEPS.filter((step) => step !== null),
  async run(world) {
    const { random, users, fleet } = world
    const deeds = random.sample(users, ACTIONS).map((user) => ({ user, deed: random.pick(DEEDS) }))
    const point = random.pick(STEPS)
    await refreshAll(world)
    const operators = fleet.operators()
    if (point && operators) fleet.setTrap(operators, { point, gather: 1, signal: 'SIGKILL' })
    await inLanes(deeds, PEOPLE, ({ user, deed }) => act(world, user, deed))
    if (operators) fleet.setTrap(operators, null)
  },
}

async function act(world: World, user: User, deed: Deed): Promise<unknown> {
  const { accountId } = user
  if (accountId === null || deed === 'reconnect') return connect(world, user)
  if (deed === 'remove') return remove(world, user)
  // Hardly anybody is paused by chance.
  if (deed === 'resume') await world.desk.order({ name: 'pause', accountId })
  const action: Action = { name: deed, accountId }
  return world.desk.order(action)
}

/** Resumes some of what is paused, and in time whatever would die of it; at the end all. */
export async function resumePaused(world: World, share = 0.5): Promise<void> {
  const diesBefore = world.clockFile.clock.now() + LAST_CALL_MS
  const paused = (await allAccounts(world)).filter(
    ({ status, diesAt }) => status === 'paused' && (world.random.chance(share) || (diesAt ?? 0) < diesBefore),
  )
  await inLanes(paused, PEOPLE, ({ id }) => persist(world, { name: 'resume', accountId: id }, ['ACCOUNT_CHANGED']))
}

/** Before the end: who was paused is resumed, and who has to connect again does. */
export async function endOfShift(world: World): Promise<void> {
  await resumePaused(world, 1)
  const hasEnded = ({ revocations }: User) => (revocations.at(-1)?.to ?? 0) === Number.POSITIVE_INFINITY
  const connecting = world.users.filter((user) => user.accountId !== null && hasEnded(user))
  await inLanes(connecting, PEOPLE, (user) => connect(world, user))
}
