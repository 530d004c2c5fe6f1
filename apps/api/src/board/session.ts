import { HOUR } from '@tokenkeeper/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { audit } from '../audit.ts'
import type { Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'

/**
 * A login at the board. The cookie says whose key it was; whether that still holds, and whether the session was ended,
 * is asked at every request. Ended ones are known by their entry in the audit, which all processes share.
 */
interface Session {
  readonly id: string
  readonly expiresAt: number
}

declare module 'fastify' {
  interface FastifyRequest {
    boardSession: Session | null
  }
}

const LIFETIME_MS = 8 * HOUR
/** The prefix keeps other hosts of the domain from planting one; browsers accept it over https alone. */
const NAME = '__Host-tokenkeeper-session'
const PLAIN_HTTP_NAME = 'tokenkeeper-session'
/** Id of the session, id and fingerprint of its key, and when it ends (ms). */
const COOKIE = /^([0-9a-f]{24})\.([0-9a-z]{1,24})\.([0-9a-f]{16})\.(\d+)$/

/** Sets `principal` and `boardSession` of every request of this scope. */
export function readSessions(app: FastifyInstance, { authenticator, store, clock }: ApiDeps): void {
  app.decorateRequest('boardSession', null)
  app.addHook('onRequest', async (request) => {
    const { valid, value } = request.unsignCookie(request.cookies[cookieName(request)] ?? '')
    const [, id, keyId, fingerprint, expires] = COOKIE.exec(value ?? '') ?? []
    if (!valid || id === undefined || keyId === undefined || Number(expires) <= clock.now()) return
    const [principal, [end]] = await Promise.all([authenticator.byId(keyId), store.audit.getMany([id])])
    if (principal?.fingerprint !== fingerprint || end !== undefined) return
    request.principal = principal
    request.boardSession = { id, expiresAt: Number(expires) }
  })
}

export function openSession(reply: FastifyReply, { clock, makeId }: ApiDeps, principal: Principal): void {
  const { keyId, fingerprint } = principal
  reply.setCookie(cookieName(reply.request), `${makeId()}.${keyId}.${fingerprint}.${clock.now() + LIFETIME_MS}`, {
    ...attributes(reply.request),
    maxAge: LIFETIME_MS / 1_000,
    signed: true,
  })
}

/** Ends it wherever its cookie is, at once. Rejects with STORE_UNAVAILABLE, and then it goes on. */
export async function closeSession(request: FastifyRequest, reply: FastifyReply, deps: ApiDeps): Promise<void> {
  const { principal, boardSession } = request
  if (principal && boardSession) await audit(deps, principal, 'session.ended', { id: boardSession.id })
  reply.clearCookie(cookieName(reply.request), attributes(reply.request))
}

/** Whom a CSRF token is good for: one of the login page, or of another login, is none of this session's. */
export function csrfUser({ boardSession }: FastifyRequest): string {
  return boardSession?.id ?? 'nobody'
}

export function csrfToken(request: FastifyRequest, reply: FastifyReply): string {
  return reply.generateCsrf({ userInfo: csrfUser(request) })
}

/** Bull Board's scripts send the value of this cookie back as a header. */
export function setXsrfCookie(request: FastifyRequest, reply: FastifyReply, path: string): void {
  reply.setCookie('XSRF-TOKEN', csrfToken(request, reply), { path, sameSite: 'strict', secure: 'auto' })
}

function cookieName({ protocol }: FastifyRequest): string {
  return protocol === 'https' ? NAME : PLAIN_HTTP_NAME
}

function attributes({ protocol }: FastifyRequest) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: protocol === 'https' } as const
}
