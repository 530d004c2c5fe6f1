import type { Credential } from '@tokenkeeper/core'
import { CodedError } from '@tokenkeeper/core'
import type { Sealer } from '@tokenkeeper/store'

/** Throws CodedError KEY_MISSING or SEALED_VALUE_CORRUPT. */
export function openCredential(sealer: Sealer, accountId: string, sealed: string): Credential {
  const value = parse(sealer.open(sealed, accountId, 'credential'))
  if (!isCredential(value))
    throw new CodedError('SEALED_VALUE_CORRUPT', { internal: 'opened, but holds no credential' })
  return value
}

/** Null if it is no JSON: the parser's own error repeats what it was given. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function isCredential(value: unknown): value is Credential {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Credential).accessToken === 'string' &&
    typeof (value as Credential).refreshToken === 'string'
  )
}
