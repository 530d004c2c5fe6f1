import { hasRevoked } from '../world/users.ts'
import type { World } from '../world/world.ts'

/** How often an account was said to need a new login whose user had not ended its sessions. */
export async function countWrongVerdicts({ context, users }: World): Promise<number> {
  let wrong = 0
  for (const user of users) {
    for (const accountId of [...user.removed, user.accountId]) {
      if (accountId === null) continue
      const events = await context.store.events.list({ accountId, limit: 1_000 })
      wrong += events.filter(({ type, at }) => type === 'account.needs_reconnect' && !hasRevoked(user, at)).length
    }
  }
  return wrong
}
