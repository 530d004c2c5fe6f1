import type { AppContext } from '@tokenkeeper/context'
import { openCredential } from '@tokenkeeper/engine'
import type { Pds } from '@tokenkeeper/testkit'

/** How many of the stored access tokens open and are accepted by the PDS, each for its own account. */
export async function countWorkingTokens({ store, sealer }: AppContext, pds: Pds): Promise<number> {
  const accounts = await store.accounts.list({ afterId: null, limit: 1_000 })
  const works = await Promise.all(
    accounts.map(async ({ id, externalId, sealedCredential }) => {
      try {
        const { accessToken } = openCredential(sealer, id, sealedCredential)
        const { status, body } = await pds.getSession(accessToken)
        return status === 200 && body.did === externalId
      } catch {
        return false
      }
    }),
  )
  return works.filter(Boolean).length
}
