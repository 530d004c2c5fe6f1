/**
 * The floor of a refresh: a worker with our BullMQ options and our jobs, which does nothing but the request. No store,
 * no engine, one token for all. The environment is a worker's, and PROVIDER_URL.
 */
import { loadConfig, readEnv } from '@tokenkeeper/config'
import { createContext, runUntilSignal } from '@tokenkeeper/context'
import { type RefreshJob, workerOptions } from '@tokenkeeper/queue'
import { instantSession } from '@tokenkeeper/testkit'
import { Worker } from 'bullmq'
import { Agent, request } from 'undici'

const { PROVIDER_URL, ...variables } = readEnv().variables
const url = `${PROVIDER_URL}/xrpc/com.atproto.server.refreshSession`
const headers = {
  'user-agent': 'tokenkeeper',
  authorization: `Bearer ${instantSession(`did:plc:${'0'.repeat(24)}`, 1).refreshJwt}`,
  accept: 'application/json',
}

await runUntilSignal(async (stack) => {
  const context = stack.use(await createContext(loadConfig(variables)))
  const deps = await context.connectRedis()
  const dispatcher = new Agent()
  stack.defer(() => dispatcher.destroy())
  const present = async () => {
    const { statusCode, body } = await request(url, { method: 'POST', dispatcher, headers })
    await body.text()
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
    return { kind: 'refreshed', generation: 1 }
  }
  const worker = new Worker<RefreshJob>('refresh', present, workerOptions(deps, deps.settings.concurrency))
  worker.on('error', deps.redis.onError)
  stack.defer(() => worker.close())
  await worker.waitUntilReady()
})
