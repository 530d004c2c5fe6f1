import type { Clock } from '@tokenkeeper/core'
import type { ExtendProvider, RefreshAnswer } from '@tokenkeeper/providers'

interface ProviderError {
  readonly error?: { readonly code?: number; readonly message?: string }
}

/** A provider of the kind `extend`, over real HTTP: speaks to the token server of the tests as one speaks to Meta. */
export function createExtendProvider({ url, clock }: { readonly url: string; readonly clock: Clock }): ExtendProvider {
  const post = (path: string, form: Record<string, string>) =>
    fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(form), redirect: 'error' })

  return {
    platform: 'meta',
    kind: 'extend',
    appId: 'app-1',
    async refresh(_account, { accessToken }): Promise<RefreshAnswer> {
      try {
        const answer = await post('/oauth/access_token', { fb_exchange_token: accessToken })
        const body = (await answer.json()) as ProviderError & { access_token: string; expires_in: number }
        if (answer.status === 200) {
          const diesAt = clock.now() + body.expires_in * 1000
          const credential = { accessToken: body.access_token, refreshToken: '' }
          return { kind: 'refreshed', credential, accessExpiresAt: diesAt, diesAt, note: null }
        }
        const internal = body.error?.message ?? ''
        if (body.error?.code === 190) return { kind: 'dead', code: 'PROVIDER_REJECTED_REQUEST', internal }
        return { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown', internal }
      } catch (error) {
        return { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown', internal: String(error) }
      }
    },
    async confirmDead(_account, { accessToken }) {
      try {
        const answer = await post('/debug_token', { input_token: accessToken })
        if (answer.status !== 200) return 'unknown'
        const { data } = (await answer.json()) as { data: { is_valid: boolean } }
        return data.is_valid ? 'alive' : 'dead'
      } catch {
        return 'unknown'
      }
    },
    async logout() {},
    hostOf: () => new URL(url).host,
  }
}
