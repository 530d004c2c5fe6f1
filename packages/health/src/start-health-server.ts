import { type AppContext, createRedisAccess } from '@tokenkeeper/context'
import { CodedError } from '@tokenkeeper/core'
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { healthRoutes } from './health-routes.ts'

const LOOPBACK = '127.0.0.1'

/**
 * Serves /healthz and /readyz on loopback at HEALTH_PORT; without one, nothing. Resolves with the URL, or null.
 * Rejects with LISTEN_FAILED.
 */
export async function startHealthServer(context: AppContext): Promise<AsyncDisposable & { url: string | null }> {
  const { port } = context.config.health
  if (port === undefined) return { url: null, async [Symbol.asyncDispose]() {} }
  const app = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(healthRoutes, { ...context, redis: createRedisAccess(context) })
  const url = await app.listen({ host: LOOPBACK, port }).catch((cause: NodeJS.ErrnoException) => {
    const publicMessage = `Health cannot be served at ${LOOPBACK}:${port} (${cause.code}): check HEALTH_PORT.`
    throw new CodedError('LISTEN_FAILED', { publicMessage, cause })
  })
  context.loggers('health').info({ url }, 'health is served')
  return { url, [Symbol.asyncDispose]: () => app.close() }
}
