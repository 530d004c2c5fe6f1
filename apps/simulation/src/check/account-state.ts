import type { Account, Credential } from '@tokenkeeper/core'
import { lookInto } from '../sealer.ts'

/** What the checker knows of an account, beside what is in the store. */
export interface AccountState {
  readonly id: string
  readonly kind: 'grace' | 'extend'
  /** Attempts whose Begin became durable. */
  readonly begun: Map<string, Begun>
  /** Those whose answer became durable. */
  readonly committed: Set<string>
  /** Until when some credential of it is accepted that is kept somewhere (ms since the epoch). */
  recoverableUntil: number
  /** What the current credential took the place of. */
  replaced: string | null
  /** Why no credential is accepted any more, where that is nobody's fault. */
  lost: string | null
  /** Its worker died: by when its token has to be presented again (ms since the epoch). */
  presentBy: number | null
}

export interface Begun {
  readonly generation: number
  /** Ids of the credentials that stood there. */
  readonly current: string
  readonly previous: string | null
}

export function createAccountState({ id, platform }: Account): AccountState {
  return {
    id,
    kind: platform === 'bluesky' ? 'grace' : 'extend',
    begun: new Map(),
    committed: new Set(),
    recoverableUntil: Number.NEGATIVE_INFINITY,
    replaced: null,
    lost: null,
    presentBy: null,
  }
}

export function credentialIn(sealed: string): Credential {
  return JSON.parse(lookInto(sealed))
}
