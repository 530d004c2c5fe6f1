import { hasRevoked, type User } from '../world/users.ts'
import type { World } from '../world/world.ts'

/** How often an account was said to need a new login whose user had not ended its sessions, or stands there untold. */
export async function countWrongVerdicts({ context, users }: World): Promise<number> {
  let wrong = 0
  for (const user of users) {
    for (const accountId of [...user.removed, user.accountId]) {
      if (accountId === null) continue
      const events = await context.store.events.list({ accountId, limit: 1_000 })
      const deaths = events.filter(({ type, at }) => type === 'account.needs_reconnect' && !hasRevoked(user, at))
      wrong += deaths.length > 0 ? deaths.length : Number(await isUntold(context, user, accountId))
    }
  }
  return wrong
}

/** Nobody is told who does not look; at the end all users that had ended their sessions have connected anew. */
async function isUntold({ store, clock }: World['context'], user: User, accountId: string): Promise<boolean> {
  const account = await store.accounts.get(accountId)
  return account?.status === 'needs_reconnect' && !hasRevoked(user, clock.now())
}
