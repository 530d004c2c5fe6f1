import { createHmac } from 'node:crypto'
import type { AppContext } from '@tokenkeeper/context'
import type { Platform } from '@tokenkeeper/core'
import { openCredential } from '@tokenkeeper/engine'
import type { Pds } from '@tokenkeeper/testkit'

/** What the hosts say of the stored tokens. */
export interface Verified {
  /** Accounts whose stored token its host accepts, as that of this very user. */
  readonly accessTokensThatWork: number
  /** The same of Pages. */
  readonly pageTokensThatWork: number
  /** Pages whose token was fetched with the refreshed token of their user. */
  readonly pagesFetched: number
}

const MANY = 1_000

/** Opens every stored token and presents it to its host by a plain request, as a client app would. */
export async function verifyTokens({ store, sealer, config }: AppContext, pds: Pds): Promise<Verified> {
  const ownerOf = tokenReaders(config, pds)
  const accounts = await store.accounts.list({ afterId: null, limit: MANY })
  const pages = await Promise.all(
    accounts.map(async (account) => {
      const own = await store.pages.ofAccount(account.id, { afterId: null, limit: MANY })
      return own.map((page) => ({ page, account }))
    }),
  )
  const [accessTokensThatWork, pageTokensThatWork] = await Promise.all([
    countTrue(accounts, async ({ id, platform, externalId, sealedCredential }) => {
      const { accessToken } = openCredential(sealer, id, sealedCredential)
      return (await ownerOf[platform](accessToken)) === externalId
    }),
    countTrue(pages.flat(), async ({ page: { id, externalId, sealedToken } }) => {
      const token = sealer.open(sealedToken ?? '', id, 'page_token')
      return (await ownerOf.page(token, externalId)) === externalId
    }),
  ])
  const pagesFetched = pages.flat().filter(({ page, account }) => {
    return page.status === 'active' && account.lastRefreshedAt !== null && page.parentGeneration === account.generation
  }).length
  return { accessTokensThatWork, pageTokensThatWork, pagesFetched }
}

type ReadOwner = (token: string) => Promise<string | null>

/** Each resolves to the id of the user, or the Page, that its host takes the token for; null if it refuses it. */
export function tokenReaders({ meta, instagram, threads }: AppContext['config'], pds: Pds) {
  const graph = (node: string, token: string) => {
    const secret = meta.app?.secret.reveal() ?? ''
    const proof = createHmac('sha256', secret).update(token).digest('hex')
    const query = new URLSearchParams({ fields: 'id', appsecret_proof: proof })
    return readId(`${meta.graphUrl}/${meta.graphVersion}/${node}?${query}`, token)
  }
  const readers: Record<Platform, ReadOwner> = {
    async bluesky(token) {
      const { status, body } = await pds.getSession(token)
      return status === 200 ? body.did : null
    },
    meta: (token) => graph('me', token),
    instagram: (token) => readId(`${instagram.graphUrl}/me?fields=id`, token),
    threads: (token) => readId(`${threads.graphUrl}/me?fields=id`, token),
  }
  return { ...readers, page: (token: string, pageId: string) => graph(pageId, token) }
}

async function readId(url: string, token: string): Promise<string | null> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  const body = (await answer.json()) as { readonly id?: string }
  return answer.ok ? (body.id ?? null) : null
}

async function countTrue<T>(items: readonly T[], check: (item: T) => Promise<boolean>): Promise<number> {
  const results = await Promise.all(items.map((item) => check(item).catch(() => false)))
  return results.filter(Boolean).length
}
