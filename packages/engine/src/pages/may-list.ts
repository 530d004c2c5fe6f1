import { type Account, DAY, type ErrorCode, type Halt } from '@tokenkeeper/core'
import type { ExtendProvider } from '@tokenkeeper/providers'
import type { EngineDeps } from '../deps.ts'
import { isOfAnotherApp } from '../flight.ts'
import { passHalt } from '../halt-probes.ts'
import { comeBackAt, isProbeDue, standingHalt } from '../halts.ts'

export type MayList =
  /** `probing`: the halt that the listing passes, to find out whether it is over. */
  | { readonly may: true; readonly probing: Halt | null }
  | { readonly may: false; readonly code: ErrorCode; readonly until: number }

/** Do halt and pacing allow a listing? It asks as a refresh does, and may be the one request that ends a halt. */
export async function mayList(deps: EngineDeps, account: Account, provider: ExtendProvider): Promise<MayList> {
  const { id: accountId, platform } = account
  const now = deps.clock.now()
  if (isOfAnotherApp(provider, account)) return { may: false, code: 'APP_CHANGED', until: now + DAY }
  const halt = await standingHalt(deps, account, { withProof: true })
  if (halt !== null && !isProbeDue(halt, now)) return { may: false, code: halt.code, until: comeBackAt(halt, now) }
  const paced = await deps.pacing.ask({ platform, host: provider.hostOf(account), accountId, recovery: false })
  if (!paced.ok) return { may: false, code: 'PROVIDER_RATE_LIMITED', until: paced.until }
  const passage = await passHalt(deps, provider, halt)
  if (!passage.pass) return { may: false, code: halt?.code ?? 'PROVIDER_UNAVAILABLE', until: passage.until }
  return { may: true, probing: passage.probing }
}
