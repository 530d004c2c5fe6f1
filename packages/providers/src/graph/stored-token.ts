import { type Clock, CodedError, DAY, type Platform } from '@tokenkeeper/core'
import { headerSafe } from '../http/header-safe.ts'
import type { StoredLogin } from '../provider.ts'
import type { GraphApp } from './client.ts'

/** A token of Meta's, Instagram's or Threads', as another app kept it. Times in ms. */
export interface StoredToken {
  readonly platform: Exclude<Platform, 'bluesky'>
  readonly externalId: string
  readonly displayName?: string | undefined
  readonly accessToken: string
  /** Null: it has none, or it is not known. */
  readonly expiresAt: number | null
  readonly dataAccessExpiresAt: number | null
  readonly issuedAt: number | null
  readonly scopes: readonly string[]
  /** Our app that it was given to. Default: the one that is configured. */
  readonly appId?: string | undefined
}

/** Instagram and Threads: what a long-lived token lives from when it was given or refreshed, as documented. */
const LONG_LIFE_MS = 60 * DAY

/**
 * Reads a token that another app has kept. Nobody is asked whether it still works: the first refresh tells. Throws a
 * CodedError: IMPORT_TOKEN_INVALID, IMPORT_TOKEN_EXPIRED, APP_CHANGED.
 */
export function readStoredToken(
  { app, clock }: { readonly app: GraphApp; readonly clock: Clock },
  stored: StoredToken,
): StoredLogin {
  const { platform, externalId, displayName, accessToken, expiresAt, dataAccessExpiresAt, scopes } = stored
  if (!headerSafe.safeParse(accessToken).success) throw new CodedError('IMPORT_TOKEN_INVALID')
  if (stored.appId !== undefined && stored.appId !== app.id) throw new CodedError('APP_CHANGED')
  if (expiresAt !== null && expiresAt <= clock.now()) throw new CodedError('IMPORT_TOKEN_EXPIRED')
  return {
    platform,
    providerAppId: app.id,
    externalId,
    displayName: displayName ?? externalId,
    serviceUrl: null,
    issuer: null,
    scopes,
    credential: { accessToken, refreshToken: '' },
    accessExpiresAt: expiresAt,
    diesAt: expiresAt,
    dataAccessExpiresAt,
    issuedAt: stored.issuedAt ?? (platform === 'meta' || expiresAt === null ? null : expiresAt - LONG_LIFE_MS),
  }
}
