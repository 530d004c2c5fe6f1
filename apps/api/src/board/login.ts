import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { logError, toPublicError } from '../plugins/errors.ts'
import type { BoardDeps } from './board.ts'
import { loginPage, logoutPage } from './pages.ts'
import { closeSession, csrfToken, openSession } from './session.ts'

const LOGINS_A_MINUTE = 10

/** Pages of plain HTML forms: they work without a script. Whatever goes wrong is said on the login page. */
export const loginRoutes: FastifyPluginAsync<BoardDeps> = async (app, deps) => {
  const { base, authenticator } = deps
  const limited = { config: { rateLimit: { max: LOGINS_A_MINUTE, timeWindow: '1 minute' } } }
  const hidden = { schema: { hide: true } }

  app.setErrorHandler((error, request, reply) => {
    const { status, message } = toPublicError(error)
    if (status >= 500) logError(reply.log, error, status)
    return sendLoginPage(request, reply.code(status), message)
  })

  app.get('/login', hidden, async (request, reply) =>
    request.principal === null ? sendLoginPage(request, reply) : reply.redirect(`${base}/`),
  )

  app.post('/login', { ...hidden, ...limited, preHandler: app.csrfProtection }, async (request, reply) => {
    const { key } = (request.body ?? {}) as { readonly key?: unknown }
    const principal = typeof key === 'string' ? await authenticator.byKey(key.trim()) : null
    if (principal === null) {
      request.log.warn({ ip: request.ip }, 'login refused')
      return sendLoginPage(request, reply.code(401), 'This is no valid API key.')
    }
    openSession(reply, deps, principal)
    request.log.info({ keyId: principal.keyId, ip: request.ip }, 'logged in')
    return reply.redirect(`${base}/`, 303)
  })

  app.get('/logout', hidden, async (request, reply) => {
    const { principal, boardSession } = request
    if (principal === null || boardSession === null) return reply.redirect(`${base}/login`)
    const { name, role } = principal
    const { expiresAt } = boardSession
    return reply.type('text/html').send(logoutPage({ base, csrf: csrfToken(request, reply), name, role, expiresAt }))
  })

  app.post('/logout', { ...hidden, preHandler: app.csrfProtection }, async (request, reply) => {
    await closeSession(request, reply, deps)
    request.log.info({ keyId: request.principal?.keyId }, 'logged out')
    return reply.redirect(`${base}/login`, 303)
  })

  function sendLoginPage(request: FastifyRequest, reply: FastifyReply, trouble?: string): FastifyReply {
    const csrf = csrfToken(request, reply)
    return reply.type('text/html').send(loginPage({ base, csrf, ...(trouble !== undefined && { trouble }) }))
  }
}
