import { type Account, MINUTE } from '@tokenkeeper/core'
import type { FreshLogin, Refreshed } from '@tokenkeeper/providers'
import { startProcess } from './fleet/machine.ts'
import { openEngine } from './fleet/open-engine.ts'
import { latency, runTask, type Task } from './fleet/task.ts'
import type { Act } from './plan.ts'
import type { World } from './world.ts'

/** What became of a plan's account: its login at the provider, by which it is found in the store. */
export interface Person {
  readonly kind: 'grace' | 'extend'
  readonly externalId: string
}

/** An operator or a user does something to the account. */
export function act(world: World, person: Person, what: Act): void {
  const id = accountOf(world, person)?.id ?? null
  world.trace(() => `somebody: ${what} ${id ?? person.externalId}`)
  if (what === 'reconnect') connect(world, person)
  else if (id !== null) ACTIONS[what](world, id, person)
}

const ACTIONS: Readonly<Record<Exclude<Act, 'reconnect'>, (world: World, id: string, person: Person) => void>> = {
  refresh: ({ jobs }, id) => jobs.enqueue(id, { type: 'manual', force: true }),
  'refresh-twice': ({ jobs }, id) => {
    jobs.enqueue(id, { type: 'manual', force: true })
    jobs.enqueue(id, { type: 'manual', force: true })
  },
  pause: (world, id) => command(world, 'pause', ({ engine }) => engine.pauseAccount(id, 'operator')),
  resume: (world, id) => command(world, 'resume', ({ engine }) => engine.resumeAccount(id, 'operator')),
  remove,
  'remove-and-reconnect': (world, id, person) => {
    connect(world, person)
    world.scheduler.in(world.random.spread(1, 20), () => remove(world, id))
  },
  'new-key': changeKeys,
  revoke: (world, _id, person) => revoke(world, person),
  'revoke-and-reconnect': (world, _id, person) => {
    revoke(world, person)
    world.scheduler.in(world.random.duration(1, 10 * MINUTE), () => connect(world, person))
  },
}

function remove(world: World, id: string): void {
  command(world, 'remove', ({ engine }) => engine.removeAccount(id, 'operator'))
}

function revoke({ providers, checker }: World, { kind, externalId }: Person): void {
  providers[kind].revokeAll(externalId)
  checker.changedOutside('the user revoked the sessions')
}

/** A new key is handed to the processes, perhaps not to all of them, and the account is sealed anew with it. */
function changeKeys(world: World, id: string): void {
  const { conditions, machines, faults, plan, scheduler } = world
  conditions.keyIds = [`k${world.count()}`, ...conditions.keyIds]
  for (const process of machines.flatMap(({ processes }) => processes)) {
    if (faults.strikes('key.missing')) faults.troubleUntil(scheduler.now() + plan.endsAt)
    else process.keyIds = conditions.keyIds
  }
  command(world, 'new-key', ({ engine }) => engine.resealAccount(id))
}

export function accountOf({ database }: World, { externalId }: Person): Account | null {
  for (const account of database.majority.accounts.values()) if (account.externalId === externalId) return account
  return null
}

/** The user logs in, and what comes of it is stored. */
export function connect(world: World, { kind, externalId }: Person): void {
  const { random, providers } = world
  const appPassword = random.chance(0.2) ? { appPassword: 'secret' } : {}
  command(world, 'connect', async ({ engine }, task) => {
    const session = await task.call<Refreshed>((answer) =>
      answer(latency(random), () => providers[kind].login(externalId)),
    )
    const account = await engine.connectAccount(toLogin(kind, externalId, session), {
      ownerId: 'owner',
      actor: 'user',
      ...appPassword,
    })
    return account.id
  })
}

function toLogin(kind: Person['kind'], externalId: string, session: Refreshed): FreshLogin {
  const { credential, accessExpiresAt, diesAt } = session
  return {
    platform: kind === 'grace' ? 'bluesky' : 'meta',
    providerAppId: '',
    externalId,
    displayName: externalId,
    serviceUrl: null,
    issuer: null,
    scopes: [],
    credential,
    accessExpiresAt,
    diesAt,
  }
}

/** A process of its own, which ends when its work is done. */
function command(
  world: World,
  name: string,
  work: (opened: ReturnType<typeof openEngine>, task: Task) => Promise<unknown>,
): void {
  const process = startProcess(world, world.random.pick(world.machines), 'cli')
  runTask(world, process, name, (task) => work(openEngine(world, task), task))
}
