import type { AppContext } from '@tokenkeeper/context'
import { type Account, DAY } from '@tokenkeeper/core'
import { buildAccount } from '@tokenkeeper/store/build-account'
import { INSTANT_ISSUER, instantSession } from '@tokenkeeper/testkit'

const PAGE = 1_000

/** What it takes to enqueue one, and to know it at the provider. */
export type KnownAccount = Pick<Account, 'id' | 'diesAt' | 'externalId'>

/** Inserts accounts of the instant host at this URL, sealed as the product seals them; not due for a month. */
export async function insertAccounts(
  { store, sealer, clock }: Pick<AppContext, 'store' | 'sealer' | 'clock'>,
  count: number,
  serviceUrl: string,
): Promise<KnownAccount[]> {
  const accounts: KnownAccount[] = []
  while (accounts.length < count) {
    const page = Array.from({ length: Math.min(PAGE, count - accounts.length) }, (_, i) => {
      const externalId = didOf(accounts.length + i)
      const nextRefreshAt = clock.now() + 30 * DAY
      const diesAt = clock.now() + 90 * DAY
      const account = buildAccount({ externalId, serviceUrl, issuer: INSTANT_ISSUER, nextRefreshAt, diesAt })
      const { accessJwt, refreshJwt } = instantSession(externalId, 1)
      const credential = JSON.stringify({ accessToken: accessJwt, refreshToken: refreshJwt })
      const { sealed, keyId } = sealer.seal(credential, account.id, 'credential')
      return { ...account, sealedCredential: sealed, keyId }
    })
    await Promise.all(page.map((account) => store.accounts.insert(account)))
    accounts.push(...page.map(({ id, diesAt, externalId }) => ({ id, diesAt, externalId })))
  }
  return accounts
}

/** As long as a real one. */
function didOf(number: number): string {
  return `did:plc:${String(number).padStart(24, '0')}`
}

/** Throws unless each was refreshed so often at least (a job may run twice): jobs that do nothing would be fast. */
export async function expectRefreshed(
  store: AppContext['store'],
  accounts: readonly KnownAccount[],
  times: number,
): Promise<void> {
  for (let from = 0; from < accounts.length; from += PAGE) {
    const page = await store.accounts.getMany(accounts.slice(from, from + PAGE).map(({ id }) => id))
    const wrong = page.find(({ generation, attempt }) => generation < 1 + times || attempt !== null)
    if (wrong) throw new Error(`account ${wrong.id} was refreshed ${wrong.generation - 1} times instead of ${times}`)
  }
}
