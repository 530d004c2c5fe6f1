import { DAY, systemClock } from '@tokenkeeper/core'
import type { Family, GraphEmulator } from '@tokenkeeper/graph-emulator'

/** So long before now the sample accounts log in: tokens of 60 days near their end then, and fall due by themselves. */
export const AGE_MS = 54 * DAY

/** Where the sandbox's users come back to after a login; nobody opens it. */
export const REDIRECT_URI = 'https://sandbox.example/callback'

export interface SandboxGraph extends AsyncDisposable {
  /** At first it lives {@link AGE_MS} ago. */
  readonly emulator: GraphEmulator
  /** Our app at each of Meta's hosts. */
  readonly apps: Readonly<Record<Family, { readonly id: string; readonly secret: string }>>
  /** What a user does in a browser: logs in and consents. Resolves to the code. */
  logIn(dialogUrl: string, user: { readonly email: string; readonly password: string }): Promise<string>
}

/** Meta's hosts on loopback, in this process, with an app at each. */
export async function startGraph(): Promise<SandboxGraph> {
  // Loaded here alone: nothing of it is part of the real thing.
  const { clickThrough, startGraphEmulator } = await import('@tokenkeeper/graph-emulator')
  const clock = { ...systemClock, now: () => systemClock.now() - AGE_MS }
  const emulator = await startGraphEmulator({ clock })
  const appAt = (family: Family) =>
    emulator.control.createApp({ family, redirectUris: [REDIRECT_URI], requireProof: family === 'facebook' })
  return {
    emulator,
    apps: { facebook: appAt('facebook'), instagram: appAt('instagram'), threads: appAt('threads') },
    async logIn(dialogUrl, user) {
      const back = new URL(await clickThrough(dialogUrl, user))
      return back.searchParams.get('code') ?? ''
    },
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  }
}
