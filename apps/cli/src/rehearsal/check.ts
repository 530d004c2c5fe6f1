import { isDeepStrictEqual } from 'node:util'
import type { AppContext } from '@tokenkeeper/context'
import type { Account, RefreshLogEntry } from '@tokenkeeper/core'
import { openCredential, type RefreshOutcome } from '@tokenkeeper/engine'
import { meaningOf } from '../refresh/failures.ts'

const MANY_PAGES = 1_000

export interface Checked {
  readonly account: Account
  /** What is not as it should be, in words; empty = all is well. */
  readonly problems: readonly string[]
  readonly entry: RefreshLogEntry | null
}

type CheckDeps = Pick<AppContext, 'store' | 'sealer' | 'clock'>

/** Looks at what the refresh of a copy left in the database. `readOwner` asks the host whose a token is. */
export async function checkCopy(
  { store, sealer, clock }: CheckDeps,
  before: Account,
  outcome: RefreshOutcome,
  readOwner: (token: string) => Promise<string | null>,
): Promise<Checked> {
  const account = (await store.accounts.get(before.id)) ?? before
  const { id, generation, lastAttempt, diesAt } = account
  const entry = lastAttempt && (await store.log.get(lastAttempt.id))
  const pages = await store.pages.ofAccount(id, { afterId: null, limit: MANY_PAGES })
  const credential = openCredential(sealer, id, account.sealedCredential)
  const former = openCredential(sealer, id, before.sealedCredential)
  const expected: Readonly<Record<string, boolean>> = {
    'the generation is one more': generation === before.generation + 1,
    // Two access tokens that a PDS gives within a second are the same.
    'there is a new credential': !isDeepStrictEqual(credential, former),
    'the host takes the new token': (await readOwner(credential.accessToken)) === account.externalId,
    'the attempt has ended': account.attempt === null && lastAttempt?.outcome === 'refreshed',
    'it is active, without a failure': account.status === 'active' && account.failure === null,
    'the time of the refresh is noted': (account.lastRefreshedAt ?? 0) >= before.nextRefreshAt,
    'it falls due later': account.nextRefreshAt > clock.now(),
    'its end has moved': diesAt !== null && diesAt > (before.diesAt ?? 0),
    'the log has the refresh': entry?.success === true && entry.refreshType === 'test',
    'all is told': account.outbox.length === 0,
    'its Pages were fetched with the new token':
      account.pagesDueAt === null && pages.every(({ parentGeneration }) => parentGeneration === generation),
  }
  const missing = Object.entries(expected).flatMap(([what, isSo]) => (isSo ? [] : [`not so: ${what}`]))
  return { account, problems: [...notRefreshed(outcome), ...missing], entry }
}

function notRefreshed(outcome: RefreshOutcome): string[] {
  if (outcome.kind === 'refreshed') return []
  return ['code' in outcome ? `${outcome.code}: ${meaningOf(outcome.code)}` : `it was not refreshed: ${outcome.kind}`]
}
