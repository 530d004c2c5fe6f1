import { type ApiRole, CodedError, roleAllows } from '@tokenkeeper/core'
import type { FastifyRequest } from 'fastify'

/** Whose key a request came with. */
export interface Principal {
  /** The key's id, or `admin` for ADMIN_API_KEY. */
  readonly keyId: string
  readonly name: string
  readonly role: ApiRole
  /** Tells keys of one id apart (ADMIN_API_KEY may be changed); tells nothing of the key. */
  readonly fingerprint: string
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
  }
}

/** As it stands in the audit and in runs. */
export function actorOf({ keyId, name }: Principal): string {
  return `${name} (API key ${keyId})`
}

/** Throws UNAUTHORIZED if there is no principal, or FORBIDDEN if its role does not suffice. */
export function requireRole({ principal }: Pick<FastifyRequest, 'principal'>, needed: ApiRole): Principal {
  if (principal === null) throw new CodedError('UNAUTHORIZED')
  if (!roleAllows(principal.role, needed)) {
    throw new CodedError('FORBIDDEN', {
      publicMessage: `This API key is of the role ${principal.role}; this needs the role ${needed}.`,
    })
  }
  return principal
}
