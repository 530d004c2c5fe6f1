import type { World } from '../world/world.ts'

/** How many attempts began and have no entry in the log. What belongs to a removed account goes with it. */
export async function countUnlogged({ context, history, users }: World): Promise<number> {
  const entries = await context.store.log.list({ limit: Number.MAX_SAFE_INTEGER })
  const logged = new Set(entries.map(({ id }) => id))
  const connected = new Set(users.map(({ accountId }) => accountId))
  return [...history.attempts.values()].filter(
    ({ id, accountId, certain }) => certain && connected.has(accountId) && !logged.has(id),
  ).length
}
