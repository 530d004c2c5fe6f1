import { CodedError } from '@tokenkeeper/core'
import { assertRefreshable, enqueueRefresh } from '@tokenkeeper/queue'
import { audit } from '../audit.ts'
import type { Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'

/**
 * Enqueues the refresh of one account before everything else, due or not. Returns the id of its job in `refresh-now`,
 * which is the standing one if there is one. Rejects with ACCOUNT_NOT_FOUND, as {@link assertRefreshable}, or with
 * REDIS_UNAVAILABLE, and then nothing is recorded.
 */
export async function refreshNow(deps: ApiDeps, accountId: string, principal: Principal): Promise<string> {
  const account = await deps.store.accounts.get(accountId)
  if (account === null) throw new CodedError('ACCOUNT_NOT_FOUND')
  assertRefreshable(deps, account)
  await deps.redis.check()
  await audit(deps, principal, 'account.refresh_requested', { accountId })
  const options = { type: 'manual', force: true, first: true, clock: deps.clock } as const
  const [jobId] = await deps.redis.use(({ queues }) => enqueueRefresh(queues.refreshNow, [account], options))
  return jobId!
}
