import type { ProviderOptions } from '@tokenkeeper/context'
import { CodedError, type Platform } from '@tokenkeeper/core'
import {
  connectBluesky,
  connectInstagram,
  connectMeta,
  connectThreads,
  type FreshLogin,
  instagramLoginUrl,
  metaLoginUrl,
  threadsLoginUrl,
} from '@tokenkeeper/providers'
import { REDIRECT_URI } from './graph.ts'
import type { Hosts } from './sandbox.ts'

type LogIn = (number: number) => Promise<FreshLogin>

/** Ten Meta users manage four Pages, ten manage two, the others none. */
export function pagesOf(metaUser: number): number {
  return metaUser <= 10 ? 4 : metaUser <= 20 ? 2 : 0
}

/** For each platform: makes the user of this number (from 1) at its host, and logs in as that user would. */
export function createLogins(options: ProviderOptions, { pds, graph }: Hosts): Readonly<Record<Platform, LogIn>> {
  const { bluesky, meta, instagram, threads } = options
  if (!meta || !instagram || !threads)
    throw new CodedError('INTERNAL', { internal: 'a platform of the sandbox is off' })
  const { control } = graph.emulator
  const request = { redirectUri: REDIRECT_URI, state: 'sandbox' }
  const codeLogin = async (dialogUrl: string, user: Parameters<typeof graph.logIn>[1]) => {
    return { code: await graph.logIn(dialogUrl, user), redirectUri: REDIRECT_URI }
  }
  return {
    async bluesky() {
      const [user] = await pds.createAccounts(1)
      const appPassword = await pds.createAppPassword(user!)
      return connectBluesky(bluesky, { identifier: user!.handle, appPassword, service: pds.url })
    },
    async meta(number) {
      const user = control.createUser({ family: 'facebook', name: `Meta user ${number}` })
      for (let page = 1; page <= pagesOf(number); page++) {
        // Each user's second Page is owned by a Business, which takes a permission of its own.
        const owner = page === 2 ? { businessId: '1' } : {}
        const { id } = control.createPage({ name: `Page ${page} of Meta user ${number}`, ...owner })
        control.setRole({ userId: user.id, pageId: id })
      }
      return connectMeta(meta, await codeLogin(metaLoginUrl(meta, request), user))
    },
    async instagram(number) {
      const user = control.createUser({ family: 'instagram', name: `Instagram user ${number}` })
      return connectInstagram(instagram, await codeLogin(instagramLoginUrl(instagram, request), user))
    },
    async threads(number) {
      const user = control.createUser({ family: 'threads', name: `Threads user ${number}` })
      return connectThreads(threads, await codeLogin(threadsLoginUrl(threads, request), user))
    },
  }
}
