import { CodedError, type ErrorCode, type PageVerdict } from '@tokenkeeper/core'

/** Where the provider sends the user back to, and what it hands over there. */
export interface CodeLogin {
  /** As it came back; single use. */
  readonly code: string
  /** The very same as in the login URL. */
  readonly redirectUri: string
}

export interface LoginUrlRequest {
  readonly redirectUri: string
  /** Unguessable; whoever handles the way back compares it with what the browser was given. */
  readonly state: string
  /** The permissions to ask for; the default is what publishing takes. */
  readonly scopes?: readonly string[]
}

/** The address of a login dialog. */
export function loginUrl(
  dialog: string,
  appId: string,
  { redirectUri, state, scopes }: Required<LoginUrlRequest>,
): string {
  const query = { client_id: appId, redirect_uri: redirectUri, state, response_type: 'code', scope: scopes.join(',') }
  return `${dialog}?${new URLSearchParams(query)}`
}

/** Meta ends its redirects with `#_`, which gets into the code of those who cut the address by hand. */
export function readCode(code: string): string {
  return code.trim().replace(/#_(=_)?$/, '')
}

/** Why a login failed that may tell the person who tries it. */
const TOLD: readonly ErrorCode[] = [
  'ADDRESS_INVALID',
  'ADDRESS_REFUSED',
  'LOGIN_CODE_REFUSED',
  'META_APP_BLOCKED',
  'META_APP_INVALID',
  'META_APP_SECRET_WRONG',
  'META_PERMISSION_MISSING',
  'META_PROOF_REFUSED',
  'PROVIDER_RATE_LIMITED',
]

/** A failed call of a login. Nothing is tried again: whether a code was used up is not known after a time-out. */
export function loginError({ code, internal }: PageVerdict): CodedError {
  const details = internal === undefined ? {} : { internal }
  if (TOLD.includes(code)) return new CodedError(code, details)
  return new CodedError('LOGIN_FAILED', {
    ...details,
    publicMessage: 'The login could not be completed: start it again.',
  })
}
