import type { Account, ErrorCode, Halt } from '@tokenkeeper/core'
import type { ExtendProvider } from '@tokenkeeper/providers'
import type { EngineDeps } from '../deps.ts'
import { passHalt } from '../halt-probes.ts'
import { isProbeDue, standingHalt } from '../halts.ts'

export type MayList =
  /** `probing`: the halt that the listing passes, to find out whether it is over. */
  | { readonly may: true; readonly probing: Halt | null }
  | { readonly may: false; readonly code: ErrorCode; readonly until: number }

/** Do halt and pacing allow a listing? It asks as a refresh does, and may be the one request that ends a halt. */
export async function mayList(deps: EngineDeps, account: Account, provider: ExtendProvider): Promise<MayList> {
  const { id: accountId, platform } = account
  const halt = await standingHalt(deps, account)
  if (halt !== null && !isProbeDue(halt, deps.clock.now())) return { may: false, code: halt.code, until: halt.probeAt }
  const paced = await deps.pacing.ask({ platform, host: provider.hostOf(account), accountId, recovery: false })
  if (!paced.ok) return { may: false, code: 'PROVIDER_RATE_LIMITED', until: paced.until }
  const passage = await passHalt(deps, provider, halt)
  if (!passage.pass) return { may: false, code: halt?.code ?? 'PROVIDER_UNAVAILABLE', until: passage.until }
  return { may: true, probing: passage.probing }
}
