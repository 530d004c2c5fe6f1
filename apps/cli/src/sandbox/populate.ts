import type { AppContext } from '@tokenkeeper/context'
import { type Clock, CodedError } from '@tokenkeeper/core'
import { connectBluesky } from '@tokenkeeper/providers'
import type { Store } from '@tokenkeeper/store'
import type { Pds } from '@tokenkeeper/testkit'

/**
 * Makes accounts at the PDS, connects them as a user would, with app passwords, and has them all fall due now.
 * Rejects with SANDBOX_FAILED.
 */
export async function populate(context: AppContext, pds: Pds, count: number): Promise<void> {
  const connectOne = async () => {
    const [user] = await pds.createAccounts(1)
    const appPassword = await pds.createAppPassword(user!)
    const login = await connectBluesky(context.providerOptions.bluesky, {
      identifier: user!.handle,
      appPassword,
      service: pds.url,
    })
    const { id } = await context.engine.connectAccount(login, { ownerId: 'sandbox', actor: 'sandbox' })
    await makeDue(context, id)
  }
  try {
    await Promise.all(Array.from({ length: count }, connectOne))
  } catch (error) {
    throw new CodedError('SANDBOX_FAILED', {
      publicMessage: 'The sandbox could not be started: its sample accounts could not be made and connected.',
      cause: error,
    })
  }
}

interface DueDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
}

/** Lets an active account fall due now. */
export async function makeDue({ store, clock }: DueDeps, accountId: string): Promise<void> {
  const change = { set: { nextRefreshAt: clock.now() } }
  await store.accounts.write({ name: 'sandbox.make-due', accountId, when: { statusIn: ['active'] }, change })
}
