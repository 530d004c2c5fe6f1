import { isIP } from 'node:net'
import type { AppContext } from '@tokenkeeper/context'
import { CodedError } from '@tokenkeeper/core'
import { buildApp } from './app.ts'

export interface Api extends AsyncDisposable {
  /** `http://127.0.0.1:3000` */
  readonly url: string
}

/**
 * Listens at API_HOST and API_PORT. Needs no Redis to start. Disposing lets the requests under way end.
 * Rejects with LISTEN_FAILED or STORE_UNAVAILABLE.
 */
export async function startApi(context: AppContext): Promise<Api> {
  const { host, port } = context.config.api
  await warn(context)
  await using stack = new AsyncDisposableStack()
  const app = await buildApp(context)
  stack.defer(() => app.close())
  const listenTextResolver = (address: string) => `API is ready at ${address}`
  const url = await app.listen({ host, port, listenTextResolver }).catch((cause: NodeJS.ErrnoException) => {
    const publicMessage = `The API cannot listen at ${host}:${port} (${cause.code}): check API_HOST and API_PORT.`
    throw new CodedError('LISTEN_FAILED', { publicMessage, cause })
  })
  const rest = stack.move()
  return { url, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}

async function warn({ config, store, loggers }: AppContext): Promise<void> {
  const { host, adminKey } = config.api
  const logger = loggers('api')
  if (!isLoopback(host)) {
    logger.warn({ host }, 'the API is open to other machines: put a proxy that speaks https before it')
  }
  if (adminKey === undefined && !(await store.apiKeys.list()).some(({ revokedAt }) => revokedAt === null)) {
    logger.warn('there is no API key yet: set ADMIN_API_KEY, or make one with `tokenkeeper api-keys create`')
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
