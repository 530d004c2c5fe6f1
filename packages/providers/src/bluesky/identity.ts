import { type Clock, SECOND, within } from '@tokenkeeper/core'
import { createFetch, HttpResultError } from '../http/fetch.ts'
import type { Http } from '../http/http.ts'

export interface IdentityOptions {
  readonly http: Http
  readonly clock: Clock
  /** The directory of did:plc, such as https://plc.directory. */
  readonly plcUrl: string
}

/** Where a DID's document says that its repository lives (an origin). `gone`: no such DID, tombstoned, or no host. */
export type Home =
  | { readonly kind: 'found'; readonly origin: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly internal: string }

const TIMEOUT_MS = 10 * SECOND
/** A handle's well-known file may be redirected (https://atproto.com/specs/handle). */
const MAX_REDIRECTS = 3
/** Of DNS. */
const MAX_HOSTNAME = 253

/** Resolves a DID past every cache. A did:web is fetched from an address that its owner chose: through the guard too. */
export async function findHome({ http, plcUrl }: IdentityOptions, did: string): Promise<Home> {
  // Loaded on need: most processes never look an identity up, and it takes its share of memory.
  const { DidResolver, getPds } = await import('@atproto/identity')
  const resolver = new DidResolver({ plcUrl, timeout: TIMEOUT_MS, fetch: createFetch(http, { timeoutMs: TIMEOUT_MS }) })
  try {
    const document = await resolver.resolveNoCache(did)
    const endpoint = document && URL.parse(getPds(document) ?? '')
    if (endpoint === null || endpoint.hostname.length > MAX_HOSTNAME) return { kind: 'gone' }
    return { kind: 'found', origin: endpoint.origin }
  } catch (error) {
    if (error instanceof HttpResultError && error.result.kind === 'answer') {
      if (error.result.status === 404 || error.result.status === 410) return { kind: 'gone' }
    }
    return { kind: 'unknown', internal: error instanceof Error ? error.message : String(error) }
  }
}

/** The DID of a handle by DNS or its well-known file, or null. */
export async function resolveHandle({ http, clock }: IdentityOptions, handle: string): Promise<string | null> {
  const { HandleResolver } = await import('@atproto/identity')
  const fetch = createFetch(http, { timeoutMs: TIMEOUT_MS, maxRedirects: MAX_REDIRECTS })
  const resolver = new HandleResolver({ timeout: TIMEOUT_MS, fetch })
  // The resolver bounds its requests, not its DNS queries.
  const did = await within(clock, 2 * TIMEOUT_MS, resolver.resolve(handle), () => null)
  return did ?? null
}

/**
 * Whether two addresses are the same home. Bluesky's own hosts share the sessions of its entryway: an account logs in
 * at bsky.social while its document names a host under host.bsky.network, and either refreshes it.
 */
export function isSameHome(a: string, b: string): boolean {
  const [one, other] = [URL.parse(a), URL.parse(b)]
  if (one === null || other === null) return false
  return one.host === other.host || (isBlueskyHost(one) && isBlueskyHost(other))
}

/** Whether an issuer (`did:web:HOST`, as tokens name it in `aud`) is this very host, or its entryway at Bluesky. */
export function isIssuerOf(issuer: string, serviceUrl: string): boolean {
  const host = /^did:web:([a-z\d.-]+)$/i.exec(issuer)?.[1]
  const [one, other] = [URL.parse(`https://${host}`), URL.parse(serviceUrl)]
  if (host === undefined || one === null || other === null) return false
  return one.hostname === other.hostname || (isBlueskyHost(one) && isBlueskyHost(other))
}

function isBlueskyHost({ hostname, port }: URL): boolean {
  return port === '' && (hostname === 'bsky.social' || hostname.endsWith('.host.bsky.network'))
}
