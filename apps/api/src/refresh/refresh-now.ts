import { type Account, CodedError, ERRORS, type ErrorCode } from '@tokenkeeper/core'
import { enqueueRefresh } from '@tokenkeeper/queue'
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

/**
 * Throws ACCOUNT_NEEDS_PERSON, ACCOUNT_REMOVING or PROVIDER_OFF for what a refresh would pass over. One that is
 * `needs_action` or `quarantined` may be tried: that is how one that was healed comes back at once.
 */
export function assertRefreshable({ platforms }: Pick<ApiDeps, 'platforms'>, account: Account): void {
  const { status, platform } = account
  if (status === 'removing') throw new CodedError('ACCOUNT_REMOVING')
  if (status === 'paused') throw needsPerson('This account is paused: resume it first.')
  if (status === 'needs_reconnect') throw needsPerson(`This account has to be connected again. ${reasonOf(account)}`)
  if (!platforms.includes(platform)) throw new CodedError('PROVIDER_OFF')
}

function needsPerson(publicMessage: string): CodedError {
  return new CodedError('ACCOUNT_NEEDS_PERSON', { publicMessage })
}

/** The reason's public text; the reason is a stable code, and maybe a detail after a space. */
function reasonOf({ statusReason }: Pick<Account, 'statusReason'>): string {
  if (statusReason === null) return ''
  const [code = ''] = statusReason.split(' ')
  return `${statusReason}: ${ERRORS[code as ErrorCode] ?? 'its session is over.'}`
}
