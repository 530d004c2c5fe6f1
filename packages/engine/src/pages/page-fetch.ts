import type { Account, Credential, Page, RefreshType } from '@tokenkeeper/core'
import type { ExtendProvider, ListedPage, PageProvider, Provider } from '@tokenkeeper/providers'

/** A listing of an account's Pages at work. */
export interface PageFetch {
  /** As read before it: its generation and its pagesDueAt are the fence for what follows. */
  readonly account: Account
  readonly provider: ExtendProvider
  readonly pages: PageProvider
  readonly credential: Credential
  /** Before its first request (ms since the epoch): of two listings by one token the one that began later holds. */
  readonly listedAt: number
  readonly refreshType: RefreshType
}

/** Where accounts have Pages. */
export function pagesOf(provider: Provider): PageProvider | undefined {
  return provider.kind === 'extend' ? provider.pages : undefined
}

/** The token that was listed for a Page; null if none was, or the user's own, which must never pass for the Page's. */
export function ownToken({ credential }: PageFetch, { token }: ListedPage): string | null {
  return token === credential.accessToken ? null : token
}

/** Was this Page listed after the listing at work began, or by a newer token? */
export function wasListedLater(page: Page, { account, listedAt }: PageFetch): boolean {
  const generations = page.parentGeneration - account.generation
  return generations > 0 || (generations === 0 && (page.refreshedAt ?? 0) >= listedAt)
}
