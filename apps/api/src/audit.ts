import type { AuditAction } from '@tokenkeeper/core'
import { actorOf, type Principal } from './auth/principal.ts'
import type { ApiDeps } from './deps.ts'

/** What an act was done to. */
export interface Target {
  /** Of the entry, where it is looked up by that. */
  readonly id?: string
  readonly accountId?: string
  readonly detail?: string
}

/** Records who does what. Comes before the act, so that nothing is done that is not recorded. */
export async function audit(
  { store, clock, makeId }: Pick<ApiDeps, 'store' | 'clock' | 'makeId'>,
  principal: Principal,
  action: AuditAction,
  { id = makeId(), accountId = '', detail }: Target,
): Promise<void> {
  const entry = { id, accountId, action, actor: actorOf(principal), detail: detail ?? null, at: clock.now() }
  await store.audit.insert([entry])
}
