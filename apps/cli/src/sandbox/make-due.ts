import type { Clock } from '@tokenkeeper/core'
import type { Store } from '@tokenkeeper/store'

interface DueDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
}

/** Lets an active account fall due now. */
export async function makeDue({ store, clock }: DueDeps, accountId: string): Promise<void> {
  const change = { set: { nextRefreshAt: clock.now() } }
  await store.accounts.write({ name: 'sandbox.make-due', accountId, when: { statusIn: ['active'] }, change })
}
