import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Answer } from './fault.ts'

export interface Upstream {
  /** Sends the request on and collects the whole answer. Rejects if there is none. */
  forward(request: IncomingMessage, body: Buffer): Promise<Answer>
  close(): void
}

/** Headers that speak of one connection, not of the message. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'te', 'trailer']

export function makeUpstream(target: string): Upstream {
  const base = new URL(target)
  const agent = new Agent({ keepAlive: true })
  let closed = false
  return {
    forward: (request, body) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('The proxy is closed'))
        const headers = endToEnd(request.headers)
        // Uncompressed, so that faults can cut and rewrite it.
        delete headers['accept-encoding']
        headers.host = base.host
        if (body.length > 0) headers['content-length'] = body.length
        const onward = httpRequest(new URL(request.url ?? '/', base), { method: request.method!, headers, agent })
        onward.once('error', reject)
        onward.once('response', async (answer) => {
          try {
            resolve({ status: answer.statusCode ?? 0, headers: endToEnd(answer.headers), body: await buffer(answer) })
          } catch (error) {
            reject(error)
          }
        })
        onward.end(body)
      }),
    close() {
      closed = true
      agent.destroy()
    },
  }
}

function endToEnd(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)))
}
