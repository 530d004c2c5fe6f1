import type { FastifyInstance } from 'fastify'

/** One line a request: neither its query nor its headers, which may hold secrets. Reading is told at `debug` only. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ip: request.ip,
      ...(request.principal && { keyId: request.principal.keyId }),
    }
    const quiet = request.method === 'GET' && reply.statusCode < 400
    request.log[quiet ? 'debug' : 'info'](fields, 'request')
  })
}
