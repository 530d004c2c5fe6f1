import { CodedError } from '@tokenkeeper/core'
import type { StoredLogin } from '../provider.ts'
import type { BlueskyOptions } from './bluesky.ts'
import { isAccountDid, readService, toFreshLogin } from './connect.ts'
import { isIssuerOf } from './identity.ts'
import { readSession, type Session } from './session.ts'

/** As createSession once answered it, and another app kept it. */
export interface StoredSession {
  readonly accessJwt: string
  readonly refreshJwt: string
  /** Default: whom the refresh token names. */
  readonly did?: string | undefined
  readonly handle?: string | undefined
  /** The host that it was issued through. Default: whom the refresh token names as its issuer. */
  readonly service?: string | undefined
}

const REFRESH_SCOPE = 'com.atproto.refresh'

/**
 * Reads a session that another app has kept. Nobody is asked whether it still works: the first refresh tells. Throws a
 * CodedError: IMPORT_TOKEN_INVALID, IMPORT_TOKEN_EXPIRED, PROVIDER_WRONG_ACCOUNT, BLUESKY_WRONG_ISSUER, ADDRESS_INVALID,
 * ADDRESS_REFUSED.
 */
export function readStoredSession({ http, clock }: BlueskyOptions, stored: StoredSession): StoredLogin {
  const session = readSession({ ...stored, did: stored.did ?? '' })
  if (session === null || !session.refresh.scopes.includes(REFRESH_SCOPE)) {
    throw new CodedError('IMPORT_TOKEN_INVALID', {
      publicMessage: 'refreshToken is no refresh token of a Bluesky session (refreshJwt).',
    })
  }
  const { refresh } = session
  const did = didOf(session, stored.did)
  const service = http.assertAllowedUrl(readService(stored.service ?? hostOf(refresh.aud))).origin
  assertIssuer(refresh.aud, service)
  if (refresh.expiresAt === null || refresh.expiresAt <= clock.now()) throw new CodedError('IMPORT_TOKEN_EXPIRED')
  return { ...toFreshLogin({ ...session, did }, service), issuedAt: null }
}

function didOf({ refresh: { sub } }: Session, told: string | undefined): string {
  if (sub === null || !isAccountDid(sub)) throw new CodedError('IMPORT_TOKEN_INVALID')
  if (told !== undefined && told !== sub) {
    throw new CodedError('PROVIDER_WRONG_ACCOUNT', {
      publicMessage: 'The refresh token is of another account than externalId names.',
    })
  }
  return sub
}

/** The host that a did:web names. */
function hostOf(issuer: string | null): string {
  const host = /^did:web:([a-z\d.-]+)$/i.exec(issuer ?? '')?.[1]
  if (host === undefined) {
    throw new CodedError('IMPORT_FIELD_MISSING', {
      publicMessage: 'serviceUrl is missing, and the refresh token does not tell its host.',
    })
  }
  return host
}

/** A refresh token goes only to the host that issued it: a field mapped wrongly must not send it elsewhere. */
function assertIssuer(issuer: string | null, service: string): void {
  if (issuer === null || !issuer.startsWith('did:web:') || isIssuerOf(issuer, service)) return
  throw new CodedError('BLUESKY_WRONG_ISSUER', {
    publicMessage: 'The refresh token was issued by another host than serviceUrl names.',
  })
}
