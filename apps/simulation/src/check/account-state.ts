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
  acceptedUntil: number
  /** None is accepted any more. */
  isLost: boolean
  /** What the current credential took the place of. */
  replaced: string | null
  /** Its worker died: by when its token has to be presented again (ms since the epoch). */
  presentBy: number | null
  /** It was removed; the write that brought it back. */
  cameBackBy: string | null
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
    acceptedUntil: Number.NEGATIVE_INFINITY,
    isLost: false,
    replaced: null,
    presentBy: null,
    cameBackBy: null,
  }
}

export function credentialIn(sealed: string): Credential {
  return JSON.parse(lookInto(sealed))
}
