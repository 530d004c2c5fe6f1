import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { errorAnswer, GraphError } from '../errors/graph-error.ts'
import { traceId } from '../state/ids.ts'
import type { Family } from '../state/model.ts'
import { answeringVersion, NEWEST_VERSION, splitVersion } from '../state/versions.ts'
import type { World } from '../state/world.ts'
import type { Injections } from './injections.ts'
import { digest, parseMultipart, type ReadParams, readParams } from './params.ts'
import type { RequestLog } from './request-log.ts'

/** One request, read. */
export interface Call extends ReadParams {
  readonly world: World
  readonly family: Family
  readonly method: string
  /** Without its version. */
  readonly path: string
  /** The version that answers. */
  readonly version: string
  /** `http://127.0.0.1:PORT`, as the client addressed it. */
  readonly base: string
  /** Set on the answer, whatever it is. */
  readonly headers: Record<string, string>
}

declare module 'fastify' {
  interface FastifyRequest {
    call: Call
    graphError: GraphError | null
  }
}

export interface HostDeps {
  readonly world: World
  readonly log: RequestLog
  readonly injections: Injections
}

/** An HTTP server that reads, logs and refuses requests as a host of the family does. Routes are added by the caller. */
export async function createHost(family: Family, deps: HostDeps): Promise<FastifyInstance> {
  const { world, log, injections } = deps
  const app = Fastify({
    forceCloseConnections: true,
    // Versions may stand before every path; routes need not know.
    rewriteUrl: (request) => splitVersion(request.url ?? '/').rest,
  })
  await app.register(cookie)
  await app.register(formbody)
  // `curl -F`, as Instagram documents it.
  app.addContentTypeParser('multipart/form-data', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer) =>
    parseMultipart(request.headers['content-type']!, body),
  )
  app.decorateRequest('call', null as unknown as Call)
  app.decorateRequest('graphError', null)

  app.addHook('preValidation', async (request, reply) => {
    const call = readCall(world, family, request)
    request.call = call
    const { method, path, params, tokens } = call
    const { asked } = splitVersion(request.originalUrl)
    if (answeringVersion(asked, world.now()) === undefined) {
      throw new GraphError('path_unknown', { path: `/${asked}${path}` })
    }
    const injected = injections.take({ host: family, method, path, params, tokens })
    if (injected instanceof GraphError) throw injected
    if (injected === undefined) return
    reply.code(injected.status).headers(injected.headers ?? {})
    return reply.send(injected.body)
  })
  app.addHook('onSend', async (request, reply) => {
    const call = request.call ?? readCall(world, family, request)
    reply.headers(call.headers)
    if (!reply.hasHeader('x-fb-trace-id')) reply.header('x-fb-trace-id', traceId())
    reply.headers({ 'facebook-api-version': call.version, 'x-fb-rev': '1', 'cache-control': 'private, no-store' })
    const row = request.graphError?.row
    log.add({
      at: world.now(),
      host: family,
      method: request.method,
      path: call.path,
      version: call.version,
      grantType: call.params.grant_type,
      tokenDigests: call.tokens.map(digest),
      secretsInUrl: call.secretsInUrl,
      status: reply.statusCode,
      code: row?.code,
      subcode: row?.subcode,
    })
  })
  app.setErrorHandler((error, request, reply) => refuse(asGraphError(error), family, request, reply))
  app.setNotFoundHandler((request, reply) => refuse(unknownPath(request.call), family, request, reply))
  return app
}

function readCall(world: World, family: Family, request: FastifyRequest): Call {
  const { asked } = splitVersion(request.originalUrl)
  const path = request.url.split('?')[0]!
  // Threads has a version of its own, and Instagram's paths stand without one.
  const version = family === 'threads' ? 'v1.0' : (answeringVersion(asked, world.now()) ?? NEWEST_VERSION)
  const base = `http://${request.headers.host}`
  return { ...readParams(request), world, family, method: request.method, path, version, base, headers: {} }
}

function refuse(error: GraphError, family: Family, request: FastifyRequest, reply: FastifyReply) {
  request.graphError = error
  const { status, headers, body } = errorAnswer(error, family)
  return reply.code(status).headers(headers).send(body)
}

/** What Fastify refuses by itself (a body that cannot be read) is a wrong request at Meta too; the rest is our bug. */
function asGraphError(error: unknown): GraphError {
  if (error instanceof GraphError) return error
  const { statusCode = 500, message } = error as { statusCode?: number; message: string }
  if (statusCode < 500) return new GraphError('invalid_parameter', { what: message })
  console.error(error)
  return new GraphError('unknown')
}

/** A path that exists for another method is refused otherwise than one that does not exist. */
function unknownPath({ family, method, path }: Call): GraphError {
  const lower = method.toLowerCase()
  if (family !== 'facebook') return new GraphError('method_unsupported', { method: lower })
  if (method === 'GET') return new GraphError('path_unknown', { path })
  return new GraphError('object_unknown', { method: lower, id: path.split('/')[1] ?? '' })
}
