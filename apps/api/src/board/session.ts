import { HOUR } from '@tokenkeeper/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../auth/principal.ts'
import type { ApiDeps } from '../deps.ts'

/** A login at the board. The cookie says whose key it was; whether that still holds is asked at every request. */
interface Session {
  /** What the cookie says, without its signature. */
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

/** Sets `principal` and `boardSession` of every request of this scope. */
export function readSessions(app: FastifyInstance, { authenticator, clock }: ApiDeps): void {
  app.decorateRequest('boardSession', null)
  app.addHook('onRequest', async (request) => {
    const { valid, value } = request.unsignCookie(request.cookies[cookieName(request)] ?? '')
    const [, keyId, fingerprint, expires] = /^([0-9a-z]{1,24})\.([0-9a-f]{16})\.(\d+)$/.exec(value ?? '') ?? []
    if (!valid || value === null || keyId === undefined || Number(expires) <= clock.now()) return
    const principal = await authenticator.byId(keyId)
    if (principal?.fingerprint !== fingerprint) return
    request.principal = principal
    request.boardSession = { id: value, expiresAt: Number(expires) }
  })
}

export function openSession(reply: FastifyReply, { keyId, fingerprint }: Principal, now: number): void {
  reply.setCookie(cookieName(reply.request), `${keyId}.${fingerprint}.${now + LIFETIME_MS}`, {
    ...attributes(reply.request),
    maxAge: LIFETIME_MS / 1_000,
    signed: true,
  })
}

export function closeSession(reply: FastifyReply): void {
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
