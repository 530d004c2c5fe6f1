import cookie from '@fastify/cookie'
import csrf from '@fastify/csrf-protection'
import formBody from '@fastify/formbody'
import type { FastifyPluginAsync } from 'fastify'
import type { ApiDeps } from '../deps.ts'
import { createBoardPlugin } from './bull-board.ts'
import { guardRoute } from './guard.ts'
import { loginRoutes } from './login.ts'
import { redact } from './redact.ts'
import { csrfUser, readSessions, setXsrfCookie } from './session.ts'

export interface BoardDeps extends ApiDeps {
  /** Where the board stands: `/queues`. */
  readonly base: string
}

/** Scripts, styles and fonts from ourselves alone; but Bull Board sets styles on its elements. */
const CONTENT_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'self'"],
  },
}

/** Bull Board behind a login: sessions, CSRF protection, an allow-list of actions, and nothing secret shown. */
export const board: FastifyPluginAsync<ApiDeps & { readonly prefix: string }> = async (app, { prefix, ...rest }) => {
  const deps: BoardDeps = { ...rest, base: prefix }
  await app.register(cookie, { secret: [...deps.cookieKeys] })
  await app.register(formBody)
  await app.register(csrf, {
    cookieKey: 'tokenkeeper-csrf',
    cookieOpts: { signed: true, httpOnly: true, sameSite: 'strict', secure: 'auto', path: deps.base },
    csrfOpts: { hmacKey: deps.cookieKeys[0]!.toString('hex') },
    getUserInfo: csrfUser,
  })
  app.addHook('onRequest', async (_request, reply) => {
    await reply.helmet({ contentSecurityPolicy: CONTENT_POLICY })
  })
  app.addHook('onSend', async (request, reply) => {
    if (!isAsset(request.url)) reply.header('cache-control', 'no-store')
  })
  readSessions(app, deps)
  await app.register(loginRoutes, deps)
  await app.register(async (scope) => {
    const bullBoard = createBoardPlugin(deps, app.log)
    scope.addHook('onRoute', (route) => guardRoute(scope, route, { ...deps, showQueues: bullBoard.showQueues }))
    scope.addHook('preHandler', async (request, reply) => {
      if (isPage(request.routeOptions.url ?? '')) setXsrfCookie(request, reply, deps.base)
    })
    scope.addHook('preSerialization', async (request, _reply, payload) => redact(payload, request.principal))
    scope.addHook('onSend', async (_request, reply, payload) =>
      isHtml(reply.getHeader('content-type')) && typeof payload === 'string' ? withoutForeignLinks(payload) : payload,
    )
    await scope.register(bullBoard.plugin)
  })

  function isAsset(url: string): boolean {
    return url.startsWith(`${deps.base}/static/`)
  }

  function isPage(url: string): boolean {
    return !isAsset(url) && !url.startsWith(`${deps.base}/api/`)
  }
}

function isHtml(contentType: unknown): boolean {
  return typeof contentType === 'string' && contentType.startsWith('text/html')
}

/** Bull Board's page fetches fonts from Google. */
function withoutForeignLinks(html: string): string {
  return html.replaceAll(/<link\b[^>]*\bhref="https?:[^>]*>\s*/g, '')
}
