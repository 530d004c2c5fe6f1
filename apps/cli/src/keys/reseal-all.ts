import { type Account, type ErrorCode, hasCode, toCodedError } from '@tokenkeeper/core'
import type { Engine } from '@tokenkeeper/engine'
import type { Store } from '@tokenkeeper/store'

export interface Resealing {
  /** How often something of an account was sealed anew. */
  readonly resealed: number
  readonly failed: number
  /** The first {@link MAX_SHOWN} of those that failed. */
  readonly failures: readonly ResealFailure[]
}

export interface ResealFailure {
  readonly accountId: string
  readonly code: ErrorCode
}

interface ResealDeps {
  readonly store: Store
  readonly engine: Pick<Engine, 'resealAccount'>
  /** The key that seals. */
  readonly keyId: string
}

const PAGE = 500
const AT_ONCE = 50
const MAX_SHOWN = 20
/** A refresh that commits between may be faster; it seals with the new key itself. */
const TRIES = 10

/**
 * Walks all accounts and seals anew what another key seals, while workers go on. Stops between two accounts when the
 * signal comes. What cannot be opened is told and left, and stops no other. Rejects with STORE_UNAVAILABLE.
 */
export async function resealAll(
  deps: ResealDeps,
  signal: AbortSignal,
  onProgress: (walked: number) => void,
): Promise<Resealing> {
  const failures: ResealFailure[] = []
  let [resealed, failed, walked] = [0, 0, 0]
  const reseal = async (id: string) => {
    const outcome = await resealOne(deps, id)
    if (outcome === true) resealed++
    else if (outcome !== false) {
      failed++
      if (failures.length < MAX_SHOWN) failures.push({ accountId: id, code: outcome })
    }
  }
  for await (const accounts of pagesOf(deps.store)) {
    const rest = accounts.filter((account) => needsResealing(account, deps.keyId)).values()
    const lane = async () => {
      for (const { id } of rest) {
        if (signal.aborted) return
        await reseal(id)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    if (signal.aborted) break
    walked += accounts.length
    onProgress(walked)
  }
  return { resealed, failed, failures }
}

/** True if something was sealed anew, false if nothing was to do; else why it failed. */
async function resealOne({ store, engine, keyId }: ResealDeps, id: string): Promise<boolean | ErrorCode> {
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      if (await engine.resealAccount(id)) return true
      const account = await store.accounts.get(id)
      if (account === null || !usesOtherKey(account, keyId)) return false
    }
    return 'ACCOUNT_CHANGED'
  } catch (error) {
    if (hasCode(error, 'STORE_UNAVAILABLE')) throw error
    const { code } = toCodedError(error)
    return code === 'ACCOUNT_NOT_FOUND' ? false : code // it was removed meanwhile
  }
}

/** Whether it has Pages of another key only these tell. */
function needsResealing(account: Account, keyId: string): boolean {
  return account.status !== 'removing' && (account.pagesGeneration > 0 || usesOtherKey(account, keyId))
}

function usesOtherKey(account: Account, keyId: string): boolean {
  const { previousKeyId, appPasswordKeyId, formerCredentials, status } = account
  const keys = [account.keyId, previousKeyId, appPasswordKeyId, ...formerCredentials.map((former) => former.keyId)]
  return status !== 'removing' && keys.some((key) => key !== null && key !== keyId)
}

async function* pagesOf({ accounts }: Store): AsyncGenerator<Account[]> {
  for (let afterId: string | null = null; ; ) {
    const page: Account[] = await accounts.list({ afterId, limit: PAGE })
    if (page.length === 0) return
    yield page
    afterId = page.at(-1)!.id
  }
}
