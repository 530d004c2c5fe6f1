import type { AppContext } from '@tokenkeeper/context'
import { CodedError, PLATFORMS, type Platform } from '@tokenkeeper/core'
import { AGE_MS } from './graph.ts'
import { createLogins, pagesOf } from './logins.ts'
import type { Sandbox } from './sandbox.ts'

export const ACCOUNTS: Readonly<Record<Platform, number>> = { bluesky: 25, meta: 25, instagram: 10, threads: 10 }
/** Of all Meta users together. */
export const PAGES = Array.from({ length: ACCOUNTS.meta }, (_, index) => pagesOf(index + 1)).reduce((a, b) => a + b)

/** At each platform. */
const LOGINS_AT_ONCE = 5

/**
 * Makes users at the hosts and connects them as they would: with app passwords, and by the login dialogs. The context
 * lives by the emulator's clock, which then moves on to today: by that all of them are due. Rejects with SANDBOX_FAILED.
 */
export async function populate({ engine, providerOptions }: AppContext, sandbox: Sandbox): Promise<void> {
  try {
    const logins = createLogins(providerOptions, sandbox)
    const connectAll = async (platform: Platform) => {
      const numbers = Array.from({ length: ACCOUNTS[platform] }, (_, index) => index + 1).values()
      const lane = async () => {
        for (const number of numbers) {
          const login = await logins[platform](number)
          const account = await engine.connectAccount(login, { ownerId: 'sandbox', actor: 'sandbox' })
          if (account.pagesDueAt !== null) await engine.fetchPages(account.id)
        }
      }
      await Promise.all(Array.from({ length: LOGINS_AT_ONCE }, lane))
    }
    await Promise.all(PLATFORMS.map(connectAll))
    sandbox.graph.emulator.control.advanceClock({ ms: AGE_MS })
  } catch (error) {
    throw new CodedError('SANDBOX_FAILED', {
      publicMessage: 'The sandbox could not be started: its sample accounts could not be made and connected.',
      cause: error,
    })
  }
}
