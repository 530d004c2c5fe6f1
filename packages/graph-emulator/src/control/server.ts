import Fastify, { type FastifyInstance } from 'fastify'
import { z } from 'zod'
import { ControlError } from './control.ts'
import { CONTROL_FUNCTIONS, type Control } from './functions.ts'
import { controlPage } from './page.ts'

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

/** The control API over HTTP: `POST /name` with the input as JSON; `GET /` tells what there is. */
export function createControlServer(control: Control): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true })
  // A page of the web in the same browser must not reach it, neither by a name that resolves here nor by a form.
  app.addHook('onRequest', async ({ headers }, reply) => {
    const origin = headers.origin ?? `http://${headers.host}`
    if (!LOOPBACK.test(headers.host ?? '') || origin !== `http://${headers.host}`) {
      return reply.code(403).send({ error: { message: 'Only from this machine, and from no other site.' } })
    }
  })
  app.get('/', async (request, reply) => {
    if (request.headers.accept?.includes('text/html')) return reply.type('text/html; charset=utf-8').send(controlPage())
    return Object.fromEntries(
      Object.entries(CONTROL_FUNCTIONS).map(([name, { about, input }]) => [
        name,
        { about, input: z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) },
      ]),
    )
  })
  app.post<{ Params: { name: string } }>('/:name', async ({ params, body }, reply) => {
    if (!Object.hasOwn(CONTROL_FUNCTIONS, params.name)) throw new ControlError(`There is no function ${params.name}.`)
    const call = control[params.name as keyof Control] as (input: unknown) => unknown
    return reply.send((await call(body ?? {})) ?? {})
  })
  app.setErrorHandler((error, _request, reply) => {
    const { statusCode } = error as { statusCode?: number }
    if (error instanceof z.ZodError) return reply.code(400).send({ error: { message: z.prettifyError(error) } })
    const isTheirs = error instanceof ControlError || (statusCode ?? 500) < 500
    return reply.code(isTheirs ? 400 : 500).send({ error: { message: (error as Error).message } })
  })
  return app
}
