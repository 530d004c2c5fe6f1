import { setTimeout as delay } from 'node:timers/promises'
import type { Action } from '../processes/orders.ts'
import { loginOf, type User } from './users.ts'
import type { World } from './world.ts'

const TRIES = 120
const AGAIN_MS = 500

type PeopleWorld = Pick<World, 'desk' | 'fleet' | 'pds' | 'proxy' | 'sessions' | 'clockFile'>

/** Logs in anew and has the login stored, until it is; a user whose account is just being removed comes back later. */
export async function connect(world: PeopleWorld, user: User): Promise<void> {
  const { pds, sessions, proxy, clockFile } = world
  for (let tries = 0; tries < TRIES; tries++) {
    const { status, body } = await pds
      .createSession(user.pds.did, user.pds.password)
      .catch(() => ({ status: 0, body: null }))
    if (status === 200) {
      sessions.addLogin(body.refreshJwt)
      const done = await world.desk.order({ name: 'connect', login: loginOf(user.pds, proxy.url, body) })
      if (done !== 'died' && done.failed === 'ACCOUNT_REMOVING') return
      if (done !== 'died' && done.accountId !== null) {
        user.accountId = done.accountId
        const ended = user.revocations.at(-1)
        if (ended) ended.to = Math.min(ended.to, clockFile.clock.now())
        return
      }
    }
    await delay(AGAIN_MS)
  }
  throw new Error(`${user.pds.handle} could not connect`)
}

/** Asks for the removal until it is done or there is nothing left to remove. */
export async function remove(world: PeopleWorld, user: User): Promise<void> {
  const accountId = user.accountId!
  user.accountId = null
  user.removed.push(accountId)
  await persist(world, { name: 'remove', accountId }, ['ACCOUNT_NOT_FOUND'])
}

/** The user ends all sessions, by a new password. */
export async function revoke({ pds, clockFile }: PeopleWorld, user: User): Promise<void> {
  user.revocations.push({ from: clockFile.clock.now(), to: Number.POSITIVE_INFINITY })
  user.pds = await pds.changePassword(user.pds)
}

/** Orders until it is done, or has failed in a way that counts as done. */
export async function persist({ desk }: PeopleWorld, action: Action, enough: readonly string[]): Promise<void> {
  let failed: string | null = null
  for (let tries = 0; tries < TRIES; tries++) {
    const done = await desk.order(action)
    if (done !== 'died' && (done.failed === null || enough.includes(done.failed))) return
    failed = done === 'died' ? done : done.failed
    await delay(AGAIN_MS)
  }
  throw new Error(`${action.name} could not be done: ${failed}`)
}
