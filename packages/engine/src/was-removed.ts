import type { EngineDeps } from './deps.ts'

/** Whether somebody removed an account that is not there: its removal was noted before it went. Rejects as the store does. */
export async function wasRemoved({ store }: Pick<EngineDeps, 'store'>, accountId: string): Promise<boolean> {
  const audit = await store.audit.list({ accountId, limit: 100 })
  return audit.some((entry) => entry.action === 'account.removed')
}
