import { type Account, CodedError, ERRORS, type ErrorCode } from '@tokenkeeper/core'
import type { LocalDeps } from './deps.ts'

/**
 * Throws ACCOUNT_NEEDS_PERSON, ACCOUNT_REMOVING or PROVIDER_OFF for what a refresh would pass over. One that is
 * `needs_action` or `quarantined` may be tried: that is how one that was healed comes back at once.
 */
export function assertRefreshable({ platforms }: Pick<LocalDeps, 'platforms'>, account: Account): void {
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
