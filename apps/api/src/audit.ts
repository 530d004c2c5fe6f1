import type { AuditAction } from '@tokenkeeper/core'
import { actorOf, type Principal } from './auth/principal.ts'
import type { ApiDeps } from './deps.ts'

/** What an act was done to. */
export interface Target {
  readonly accountId?: string
  readonly detail?: string
}

/** Records who does what. Comes before the act, so that nothing is done that is not recorded. */
export async function audit(
  { store, clock, makeId }: Pick<ApiDeps, 'store' | 'clock' | 'makeId'>,
  principal: Principal,
  action: AuditAction,
  { accountId = '', detail }: Target,
): Promise<void> {
  const entry = { id: makeId(), accountId, action, actor: actorOf(principal), detail: detail ?? null, at: clock.now() }
  await store.audit.insert([entry])
}
