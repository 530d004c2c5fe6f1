import type { Account, Attempt, Credential, Halt } from '@tokenkeeper/core'
import { GRACE_MS, tokenDigest } from '@tokenkeeper/core'
import type { Provider } from '@tokenkeeper/providers'
import type { ProtocolTimes } from './times.ts'

/** An attempt of ours that has begun: what was read before Begin, and what Begin wrote. */
export interface Flight {
  /** As read before Begin. Its generation is the fence for all that follows. */
  readonly account: Account
  readonly attempt: Attempt
  readonly provider: Provider
  readonly credential: Credential
  /** Own monotonic clock before Begin was sent (ms). */
  readonly startedAt: number
  /** It continues an attempt that stood there. */
  readonly recovery: boolean
  /** The halt that it passed, to find out whether that is over. */
  readonly probing: Halt | null
}

/** No app may use what another one was given, and what it would be told says nothing of the token. */
export function isOfAnotherApp(provider: Provider, { providerAppId }: Pick<Account, 'providerAppId'>): boolean {
  return provider.kind === 'extend' && provider.appId !== providerAppId
}

/** The digest of the token that a refresh presents. */
export function presentedDigest(provider: Pick<Provider, 'kind'>, credential: Credential): string {
  return tokenDigest(provider.kind === 'grace' ? credential.refreshToken : credential.accessToken)
}

/** Until when an outcome that is unknown must have been recovered; null where the old token goes on working. */
export function recoveryDeadline(
  provider: Pick<Provider, 'kind'>,
  attempt: Attempt,
  times: ProtocolTimes,
): number | null {
  return provider.kind === 'grace' ? attempt.firstSentAt + GRACE_MS - times.graceMarginMs : null
}
