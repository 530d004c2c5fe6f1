import { join } from 'node:path'
import type { Config } from '@tokenkeeper/config'
import { DAY } from '@tokenkeeper/core'
import { localKeyUse } from '@tokenkeeper/engine'
import type { KeyRing, Store } from '@tokenkeeper/store'

/** One key that is in the ring, or in use, and how much it seals. */
export interface KeyStatus {
  readonly keyId: string
  /** `seals`: the first of the ring. `opens`: another one of the ring. `missing`: in use, but not in the ring. */
  readonly state: 'seals' | 'opens' | 'missing'
  /** Accounts whose credential it seals. */
  readonly current: number
  readonly previous: number
  readonly former: number
  readonly appPasswords: number
  readonly pages: number
  /** On this machine. */
  readonly spooled: number
  readonly journaled: number
  /** When the last part of this machine's journal goes that it seals (ms); null = none is. */
  readonly journaledUntil: number | null
  /** Nothing uses it, and another one seals. False where no database was found, since nobody knows then. */
  readonly mayBeDropped: boolean
}

type LocalConfig = Pick<Config, 'dataDir' | 'retention'>

/** In the order of the ring, then those that are missing. Counted in the database; reads this machine's spool and journal. */
export async function keyStatus(ring: KeyRing | null, store: Store | null, config: LocalConfig): Promise<KeyStatus[]> {
  const { dataDir, retention } = config
  // Before the database, since what lands meanwhile is counted there.
  const local = await localKeyUse({ spool: join(dataDir, 'spool'), journal: join(dataDir, 'journal') })
  const accounts = new Map((await store?.accounts.countKeys())?.map((counts) => [counts.keyId, counts]))
  const pages = new Map((await store?.pages.countKeys())?.map((counts) => [counts.keyId, counts.pages]))
  const inRing = [...(ring?.keys.keys() ?? [])]
  const inUse = [...accounts.keys(), ...pages.keys(), ...local.keys()].toSorted()
  return [...new Set([...inRing, ...inUse])].map((keyId) => {
    const { current = 0, previous = 0, former = 0, appPasswords = 0 } = accounts.get(keyId) ?? {}
    const { spooled = 0, journaled = 0, lastDay = null } = local.get(keyId) ?? {}
    const uses = { current, previous, former, appPasswords, pages: pages.get(keyId) ?? 0, spooled, journaled }
    const state = keyId === ring?.currentKeyId ? 'seals' : inRing.includes(keyId) ? 'opens' : 'missing'
    return {
      keyId,
      state,
      ...uses,
      journaledUntil: lastDay === null ? null : Date.parse(lastDay) + DAY + retention.journal,
      mayBeDropped: store !== null && state === 'opens' && Object.values(uses).every((count) => count === 0),
    }
  })
}

/** Ids of keys that seal something in the database and are not in the ring. */
export async function missingKeys({ accounts, pages }: Store, keyIds: readonly string[]): Promise<string[]> {
  const used = [...(await accounts.countKeys()), ...(await pages.countKeys())].map(({ keyId }) => keyId)
  return [...new Set(used)].filter((keyId) => !keyIds.includes(keyId)).toSorted()
}
