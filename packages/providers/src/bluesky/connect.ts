import { isValidDid, isValidHandle, normalizeHandle } from '@atproto/syntax'
import { CodedError, type Verdict } from '@tokenkeeper/core'
import type { FreshLogin } from '../provider.ts'
import { type BlueskyOptions, createBlueskyProvider } from './bluesky.ts'
import { findHome, type IdentityOptions, isSameHome, resolveHandle } from './identity.ts'
import { createSession } from './login.ts'
import type { Session } from './session.ts'

export interface BlueskyLogin {
  /** Handle (with or without @) or DID. */
  readonly identifier: string
  readonly appPassword: string
  /** Log in here instead of where the identity points; it must turn out to be the account's home all the same. */
  readonly service?: string
}

/**
 * Logs in with an app password. Throws a CodedError: HANDLE_UNKNOWN, ADDRESS_INVALID, ADDRESS_REFUSED, LOGIN_REFUSED
 * (wrong password, taken down), LOGIN_FAILED (not now), PROVIDER_WRONG_ACCOUNT (the host is not this account's home).
 */
export async function connectBluesky(options: BlueskyOptions, login: BlueskyLogin): Promise<FreshLogin> {
  const identifier = readIdentifier(login.identifier)
  const { serviceUrl, did } =
    login.service === undefined
      ? await findService(options, identifier)
      : { serviceUrl: readService(login.service), did: isAccountDid(identifier) ? identifier : null }
  const origin = options.http.assertAllowedUrl(serviceUrl).origin
  const request = { serviceUrl: origin, identifier: did ?? identifier, password: login.appPassword }
  const answer = await createSession(options, request)
  if (answer.kind === 'failed') throw loginError(answer.verdict)
  const fresh = toFreshLogin(answer.session, origin)
  try {
    if (did !== null && fresh.externalId !== did) throw new CodedError('PROVIDER_WRONG_ACCOUNT')
    if (login.service !== undefined) await assertHome(options, fresh.externalId, origin)
  } catch (error) {
    // A session that nobody keeps should not stay open.
    await createBlueskyProvider(options).logout({ id: '', ...fresh }, [fresh.credential])
    throw error
  }
  return fresh
}

function readIdentifier(text: string): string {
  const identifier = text.trim().replace(/^@/, '')
  if (isAccountDid(identifier)) return identifier
  const handle = normalizeHandle(identifier)
  if (!isValidHandle(handle)) throw new CodedError('HANDLE_UNKNOWN', { publicMessage: 'This is no handle and no DID.' })
  return handle
}

/** The methods that atproto blesses (https://atproto.com/specs/did). */
export function isAccountDid(text: string): boolean {
  return isValidDid(text) && /^did:(plc|web):/.test(text)
}

export function readService(text: string): string {
  const service = text.trim()
  return service.includes('://') ? service : `https://${service}`
}

async function findService(options: IdentityOptions, identifier: string): Promise<{ serviceUrl: string; did: string }> {
  const did = isAccountDid(identifier) ? identifier : await resolveHandle(options, identifier)
  if (did === null || !isAccountDid(did)) throw new CodedError('HANDLE_UNKNOWN')
  const home = await findHome(options, did)
  if (home.kind === 'gone') throw new CodedError('HANDLE_UNKNOWN', { internal: `${did} has no host` })
  if (home.kind === 'unknown') throw new CodedError('LOGIN_FAILED', { internal: home.internal })
  return { serviceUrl: home.origin, did }
}

/** A host can answer with anybody's DID; only the DID's own document says whose host it is. */
async function assertHome(options: IdentityOptions, did: string, origin: string): Promise<void> {
  const home = await findHome(options, did)
  if (home.kind === 'unknown') throw new CodedError('LOGIN_FAILED', { internal: home.internal })
  if (home.kind === 'gone' || !isSameHome(home.origin, origin)) {
    throw new CodedError('PROVIDER_WRONG_ACCOUNT', {
      publicMessage: 'This host is not the home of the account that it answered for.',
    })
  }
}

/** A session at this host (an origin), as the start of an account. */
export function toFreshLogin({ did, handle, refreshed, access, refresh }: Session, serviceUrl: string): FreshLogin {
  return {
    platform: 'bluesky',
    providerAppId: '',
    externalId: did,
    displayName: typeof handle === 'string' && isValidHandle(handle) ? handle : did,
    serviceUrl,
    issuer: refresh.aud,
    scopes: access.scopes,
    credential: refreshed.credential,
    accessExpiresAt: refreshed.accessExpiresAt,
    diesAt: refreshed.diesAt,
  }
}

function loginError(verdict: Verdict): CodedError {
  const details = verdict.internal === undefined ? {} : { internal: verdict.internal }
  if (verdict.code === 'ADDRESS_REFUSED' || verdict.code === 'ADDRESS_INVALID')
    return new CodedError(verdict.code, details)
  if (verdict.code === 'BLUESKY_TAKEN_DOWN') {
    return new CodedError('LOGIN_REFUSED', { ...details, publicMessage: 'The account was taken down by its host.' })
  }
  return new CodedError(verdict.kind === 'dead' ? 'LOGIN_REFUSED' : 'LOGIN_FAILED', details)
}
