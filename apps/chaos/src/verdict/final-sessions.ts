import { HOUR } from '@tokenkeeper/core'
import { openCredential } from '@tokenkeeper/engine'
import { inLanes, type User } from '../world/users.ts'
import type { World } from '../world/world.ts'

const AT_ONCE = 16

/**
 * Asks the PDS about every account's session, once no grace helps a token that was spent before: does the stored
 * refresh token give a successor, and does that one work? What nobody refreshes any more is lost too. Returns what is
 * wrong with each.
 */
export async function findLostSessions(world: World, forgotten: ReadonlyMap<string, string>): Promise<string[]> {
  world.clockFile.advance(3 * HOUR)
  const lost: string[] = []
  await inLanes(world.users, AT_ONCE, async (user) => {
    if (user.accountId === null) return
    const trouble = (await troubleOf(world, user, user.accountId)) ?? forgotten.get(user.accountId)
    if (trouble) lost.push(`${user.accountId} ${trouble}\n${await storyOf(world, user)}`)
  })
  return lost
}

async function troubleOf({ context, pds }: World, user: User, accountId: string): Promise<string | null> {
  const account = await context.store.accounts.get(accountId)
  if (!account) return 'is missing'
  const { refreshToken } = openCredential(context.sealer, accountId, account.sealedCredential)
  const refreshed = await pds.refreshSession(refreshToken)
  if (refreshed.status !== 200) return `${account.status}: ${JSON.stringify(refreshed.body)}`
  const session = await pds.getSession(refreshed.body.accessJwt)
  return session.body?.did === user.pds.did ? null : `answers for ${session.body?.did}`
}

/** What the log tells of the account, for whoever looks for the cause. */
async function storyOf({ context, history }: World, { accountId, revocations }: User): Promise<string> {
  const [log, audit] = await Promise.all([
    context.store.log.list({ accountId: accountId!, limit: 30 }),
    context.store.audit.list({ accountId: accountId!, limit: 30 }),
  ])
  const told = [
    ...log.map(({ refreshedAt: at, id, outcome, errorCode, generation }) => ({
      at,
      id,
      outcome,
      errorCode,
      generation,
    })),
    ...audit.map(({ at, action }) => ({ at, action })),
    ...revocations.map(({ from: at, to }) => ({ at, revokedUntil: to })),
  ]
  const began = (history.accounts.get(accountId!)?.attempts ?? []).slice(-20)
  return [...told.toSorted((a, b) => a.at - b.at), ...began].map((line) => `    ${JSON.stringify(line)}`).join('\n')
}

/** Accounts that were removed and are still there. */
export async function findUnremoved({ context, users }: World): Promise<string[]> {
  const ids = users.flatMap(({ removed }) => removed)
  return (await context.store.accounts.getMany(ids)).map(({ id }) => id)
}
