import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { AppContext } from '@tokenkeeper/context'
import { createRedisAccess } from '@tokenkeeper/context'
import { CodedError } from '@tokenkeeper/core'
import { healthRoutes } from '@tokenkeeper/health'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { createAuthenticator } from './auth/authenticator.ts'
import { bearerAuth } from './auth/bearer.ts'
import { board } from './board/board.ts'
import type { ApiDeps } from './deps.ts'
import { answerClientError } from './plugins/client-errors.ts'
import { describeRoutes } from './plugins/docs.ts'
import { answerErrors, sendError } from './plugins/errors.ts'
import { logRequests } from './plugins/log.ts'
import { haltRoutes } from './routes/halts.ts'
import { refreshTokensRoutes } from './routes/refresh-tokens.ts'
import { runRoutes } from './routes/runs.ts'

const BODY_LIMIT = 64 * 1024
/** For a request to arrive in full. */
const REQUEST_TIMEOUT_MS = 30_000
/** Of one address. Bull Board asks for a few things every five seconds. */
const REQUESTS_A_MINUTE = 1_000

/** The whole API, not yet listening. */
export async function buildApp(context: AppContext): Promise<FastifyInstance> {
  const { config, store, clock, makeId, sealer, providers, engine, loggers } = context
  const deps: ApiDeps = {
    store,
    clock,
    makeId,
    platforms: [...providers.keys()],
    cookieKeys: sealer.deriveKeys('cookies'),
    authenticator: createAuthenticator(store, config.api.adminKey?.reveal()),
    redis: createRedisAccess(context),
    engine,
  }
  const app: FastifyInstance = Fastify({
    loggerInstance: loggers('api') as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: [...config.api.trustedProxies],
    // Fastify's own answer to what still arrives while the process ends has not our form.
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, _request, reply) => sendError(reply, error),
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.decorateRequest('principal', null)
  logRequests(app)
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // It would speak for other hosts too; that is for the proxy which speaks https.
    strictTransportSecurity: false,
  })
  await app.register(rateLimit, {
    max: REQUESTS_A_MINUTE,
    timeWindow: '1 minute',
    errorResponseBuilder: () => new CodedError('RATE_LIMITED'),
  })
  answerErrors(app)
  await describeRoutes(app)
  await app.register(healthRoutes, deps)
  await app.register(async (api) => {
    bearerAuth(api, deps)
    await api.register(refreshTokensRoutes, deps)
    await api.register(runRoutes, deps)
    await api.register(haltRoutes, deps)
  })
  await app.register(board, { ...deps, prefix: '/queues' })
  return app
}
