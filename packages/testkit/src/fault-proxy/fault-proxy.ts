import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { tokenDigest } from '@tokenkeeper/core'
import { answerWithFault, type Exchange, send } from './answer.ts'
import type { Answer, FaultHandle, FaultRule, ProxiedRequest } from './fault.ts'
import { makeRules } from './rules.ts'
import { makeUpstream } from './upstream.ts'

export interface FaultProxy extends AsyncDisposable {
  /** http://localhost:PORT */
  readonly url: string
  readonly port: number
  /** Every request since the start, in the order of arrival. */
  readonly requests: readonly ProxiedRequest[]
  /** Those to one path; '/xrpc/' may be left out. */
  requestsTo(path: string): readonly ProxiedRequest[]
  /** Adds a fault; where several match, the oldest that is not used up takes the request. */
  fault(rule: FaultRule): FaultHandle
  /** Ends all faults and lets everything go that they hold. */
  clear(): void
}

type Recorded = { -readonly [K in keyof ProxiedRequest]: ProxiedRequest[K] }

export interface FaultProxyOptions {
  readonly target: string
  /** Told of each answer of the target, also of one that the client will never see. */
  readonly onAnswer?: (request: ProxiedRequest, answer: Answer) => void
}

/** An HTTP proxy on loopback that forwards all to `target`, keeps a record, and fails as told. */
export async function startFaultProxy({ target, onAnswer }: FaultProxyOptions): Promise<FaultProxy> {
  const rules = makeRules()
  const upstream = makeUpstream(target)
  const requests: Recorded[] = []

  const server = createServer(async (request, response) => {
    const record = recordOf(request)
    requests.push(record)
    // A client that leaves before its request is whole gets no answer.
    const body = await buffer(request).catch(() => undefined)
    if (!body) return
    const exchange: Exchange = {
      response,
      async forward() {
        const answer = await upstream.forward(request, body).catch(() => undefined)
        if (answer) onAnswer?.(record, answer)
        return answer
      },
      answered: (status) => {
        record.status = status
      },
    }
    const hit = rules.hit(record)
    if (hit) await answerWithFault(exchange, hit)
    else send(exchange, await exchange.forward())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    url: `http://localhost:${port}`,
    port,
    requests,
    requestsTo: (path) => requests.filter((request) => request.path === path || request.path === `/xrpc/${path}`),
    fault: rules.add,
    clear: rules.clear,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      upstream.close()
      rules.clear()
      await closed
    },
  }
}

function recordOf(request: IncomingMessage): Recorded {
  const token = request.headers.authorization?.match(/^Bearer (.+)$/i)?.[1]
  return {
    at: Date.now(),
    method: request.method ?? '',
    path: new URL(request.url ?? '/', 'http://localhost').pathname,
    tokenDigest: token === undefined ? undefined : tokenDigest(token),
    status: undefined,
  }
}
