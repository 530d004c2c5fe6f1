import { CodedError } from '@tokenkeeper/core'
import type { Job } from 'bullmq'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify'
import { audit } from '../audit.ts'
import { requireRole } from '../auth/principal.ts'
import { ACTIONS, type Action, type ActionParams } from './actions.ts'
import type { BoardDeps } from './board.ts'
import { type BoardQueues, findQueue, SCHEDULE } from './queues.ts'

export interface GuardDeps extends BoardDeps {
  showQueues(queues: BoardQueues): void
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/**
 * Puts the rules before a route of Bull Board as it is registered: pages and what they read need a session; a change
 * needs an operator and a CSRF token, is one of {@link ACTIONS} or refused, and is recorded before it is made.
 */
export function guardRoute(app: FastifyInstance, route: RouteOptions, deps: GuardDeps): void {
  const reads = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
  const isApi = route.url.startsWith(`${deps.base}/api/`)
  route.onRequest = [sessionNeeded(deps.base, isApi)]
  if (!reads) {
    route.onRequest.push(operatorNeeded)
    route.preHandler = [app.csrfProtection]
  }
  if (!isApi) return
  const own = route.handler
  const handler: Handler = (request, reply) => withQueues(deps, async () => own.call(app, request, reply))
  const action = ACTIONS[`${route.method} ${route.url.slice(deps.base.length)}`]
  route.handler = reads ? handler : action ? act(deps, action, handler) : refuse
}

/** People are sent to the login page, scripts are told. */
function sessionNeeded(base: string, isApi: boolean) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.principal !== null) return
    if (isApi) throw new CodedError('UNAUTHORIZED', { publicMessage: 'The session is over: log in again.' })
    return reply.redirect(`${base}/login`)
  }
}

async function operatorNeeded(request: FastifyRequest): Promise<void> {
  requireRole(request, 'operator')
}

/** Does what Bull Board would do, with its queues at hand and no longer than a caller may have to wait. */
function withQueues<T>({ redis, showQueues }: GuardDeps, work: () => Promise<T>): Promise<T> {
  return redis.use(async ({ queues }) => {
    showQueues(queues)
    return work()
  })
}

function act(deps: GuardDeps, { name, takes, run }: Action, own: Handler): RouteHandlerMethod {
  return async (request, reply) => {
    const principal = requireRole(request, 'operator')
    const params = request.params as ActionParams
    await assertThere(deps, params, takes)
    if (run) return run(deps, params, principal)
    await audit(deps, principal, name, { detail: targetOf(params) })
    return own(request, reply)
  }
}

/** Throws NOT_FOUND or JOB_STATE. */
async function assertThere({ redis }: GuardDeps, { queueName, jobId }: ActionParams, takes: Action['takes']) {
  if (queueName === undefined) return redis.check()
  await redis.use(async ({ queues }) => {
    const queue = findQueue(queues, queueName)
    const job = jobId === undefined ? undefined : await queue?.getJob(jobId)
    if (queue === null || (jobId !== undefined && job === undefined)) {
      throw new CodedError('NOT_FOUND', { publicMessage: 'There is no such queue or job.' })
    }
    const state = await job?.getState()
    if (job !== undefined && takes !== undefined && state !== takes) {
      throw new CodedError('JOB_STATE', { publicMessage: `This takes a ${takes} job; it is ${state}.` })
    }
    if (takes === 'delayed' && (job ? isTick(job) : queueName === SCHEDULE)) {
      throw new CodedError('JOB_STATE', {
        publicMessage: 'A tick of a schedule cannot be brought forward: start a run by the API instead.',
      })
    }
  })
}

function isTick({ repeatJobKey }: Job): boolean {
  return repeatJobKey !== undefined
}

function targetOf({ queueName = 'all queues', jobId }: ActionParams): string {
  return jobId === undefined ? queueName : `${queueName}/${jobId}`
}

const refuse: RouteHandlerMethod = async () => {
  throw new CodedError('FORBIDDEN', { publicMessage: 'Bull Board may retry, promote, pause and resume here, no more.' })
}
