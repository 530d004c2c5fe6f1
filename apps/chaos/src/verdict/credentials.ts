import { openCredential } from '@tokenkeeper/engine'
import type { StoredCredential } from '../journal/history.ts'
import { claimsOf, type Token } from '../world/sessions.ts'
import type { World } from '../world/world.ts'

/** A token as it stood in the store. */
export interface StoredToken {
  readonly at: number
  readonly token: Token
}

/** What stood in the store for each account, one after another; only what was seen to be applied. */
export function storedTokens({ history, sessions, context }: World): Map<string, StoredToken[]> {
  const open = ({ accountId, sealed }: StoredCredential): Token => {
    const { jti } = claimsOf(openCredential(context.sealer, accountId, sealed).refreshToken)
    const token = sessions.byJti(jti)
    if (!token) throw new Error('A token is stored that the PDS never issued')
    return token
  }
  return new Map(
    [...history.accounts].map(([accountId, { credentials }]) => {
      const applied = credentials.flatMap((credential) =>
        credential.at === undefined ? [] : [{ at: credential.at, token: open(credential) }],
      )
      return [accountId, applied.toSorted((a, b) => a.at - b.at)]
    }),
  )
}

/**
 * How often a credential took the place of one that was not older: each has to be the same token, sealed anew, the
 * successor of the one before it, or a later login.
 */
export function countOverwrittenNewer(
  world: Pick<World, 'sessions'>,
  stored: ReadonlyMap<string, readonly StoredToken[]>,
): number {
  const loginOf = (token: Token): number => {
    let first = token
    while (first.parent !== null) first = world.sessions.byJti(first.parent)!
    return first.login!
  }
  let count = 0
  for (const tokens of stored.values()) {
    for (const [index, { token }] of tokens.entries()) {
      const before = tokens[index - 1]?.token
      if (!before || token.jti === before.jti || token.parent === before.jti) continue
      if (token.login === null || token.login <= loginOf(before)) count += 1
    }
  }
  return count
}
