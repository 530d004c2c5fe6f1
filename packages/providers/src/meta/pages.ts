import { type Credential, SECOND, type Verdict } from '@tokenkeeper/core'
import { z } from 'zod'
import { headerSafe } from '../http/header-safe.ts'
import type { ListedPage, PageListing, PageProvider, ProviderAccount } from '../provider.ts'
import type { MetaGraph } from './graph.ts'

const FIELDS = 'id,name,access_token,tasks,instagram_business_account{id}'
const PER_REQUEST = '100'
/** Of one listing: an endless one must not hold a worker. */
const MAX_REQUESTS = 100
const TIMEOUT_MS = 30 * SECOND

const id = z.union([z.string().min(1), z.number().transform(String)])

/** A row whose id cannot be read fails the listing: left out, the Page would look lost. */
const row = z.object({
  id,
  name: z.string().catch(''),
  access_token: headerSafe.optional().catch(undefined),
  tasks: z.array(z.string()).catch([]),
  instagram_business_account: z.object({ id }).optional().catch(undefined),
})

const listing = z.object({
  data: z.array(row),
  paging: z
    .object({
      cursors: z.object({ after: z.string().optional() }).optional(),
      next: z.unknown().optional(),
    })
    .optional(),
})

/** The Pages of a user (https://developers.facebook.com/docs/pages-api/manage-pages). */
export function createMetaPages(graph: MetaGraph): PageProvider {
  /**
   * One request's worth. The answer's `next` holds the token and an address of Meta's choosing: it only says that there
   * is more, and the request is made anew from the cursor, with a proof of its own time.
   */
  function request(account: ProviderAccount, token: string, after: string | null) {
    return graph.call('pages', listing, {
      method: 'GET',
      url: graph.url(`${account.externalId}/accounts`),
      query: { fields: FIELDS, limit: PER_REQUEST, ...(after === null ? {} : { after }), ...graph.proof(token) },
      bearer: token,
      timeoutMs: TIMEOUT_MS,
    })
  }

  async function list(account: ProviderAccount, { accessToken }: Credential): Promise<PageListing | Verdict> {
    const pages = new Map<string, ListedPage>()
    const cursors = new Set<string>()
    let after: string | null = null
    while (cursors.size < MAX_REQUESTS) {
      const reply: Awaited<ReturnType<typeof request>> = await request(account, accessToken, after)
      if (!reply.ok) return reply.verdict
      const { data, paging } = reply.value
      for (const one of data) pages.set(one.id, toPage(one, accessToken))
      // Neither fewer rows than asked for nor none at all are the end: only a missing `next` is.
      if ((paging?.next ?? null) === null) return { kind: 'pages', complete: true, pages: [...pages.values()] }
      after = paging?.cursors?.after ?? null
      if (after === null || cursors.has(after)) break
      cursors.add(after)
    }
    return { kind: 'pages', complete: false, pages: [...pages.values()] }
  }

  const check: PageProvider['check'] = async (_, { externalId, token }) => {
    const reply = await graph.call('page', z.object({ id }), {
      method: 'GET',
      url: graph.url(externalId),
      query: { fields: 'id', ...graph.proof(token) },
      bearer: token,
      timeoutMs: TIMEOUT_MS,
    })
    return reply.ok ? 'works' : reply.verdict
  }

  return { list, check }
}

/** A user's token in the place of the Page's own would be kept as what it is not, and die with the user's session. */
function toPage(one: z.infer<typeof row>, userToken: string): ListedPage {
  const token = one.access_token ?? null
  return {
    externalId: one.id,
    name: one.name,
    token: token === userToken ? null : token,
    tasks: one.tasks,
    instagramBusinessAccountId: one.instagram_business_account?.id ?? null,
  }
}
