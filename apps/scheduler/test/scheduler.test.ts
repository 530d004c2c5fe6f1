import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { type RedisServer, spawnNode, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

async function createWorld(redis: RedisServer) {
  const stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const keys = `k1:${Buffer.alloc(32, 7).toString('base64')}`
  const env = { DATA_DIR: dir.path, REDIS_URL: redis.url, TOKEN_ENCRYPTION_KEYS: keys, LOG_FORMAT: 'json' }
  return {
    env,
    spawn: () => stack.use(spawnNode(MAIN, { env, cwd: dir.path, ipc: true })),
    context: () => createContext(loadConfig({ ...env, LOG_LEVEL: 'error' })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('several schedulers make each schedule once, and put them back when Redis lost them', async () => {
  await using redis = await startRedis()
  await using world = await createWorld(redis)
  const schedulers = [world.spawn(), world.spawn()]
  await Promise.all(schedulers.map((scheduler) => scheduler.waitForLine(/scheduler is ready/)))
  await using context = await world.context()
  const { queues } = await context.connectRedis()
  const keys = async () => (await queues.schedule.getJobSchedulers()).map(({ key }) => key).toSorted()
  expect(await keys()).toEqual(['bluesky-weekly', 'meta-daily', 'sweep'])
  expect(await queues.schedule.getJobCountByTypes('waiting', 'delayed')).toBe(3)

  await redis.kill()
  await redis.start()
  await until(async () => (await keys()).length === 3, { what: 'the schedules to be back' })
  for (const scheduler of schedulers) {
    scheduler.kill('SIGTERM')
    expect(await scheduler.exited).toEqual({ code: 0, signal: null })
  }
})

test('tells its parent that it is ready, and ends with 0 on SIGINT', async () => {
  await using redis = await startRedis()
  await using world = await createWorld(redis)
  const scheduler = world.spawn()
  expect(await new Promise((resolve) => scheduler.child.once('message', resolve))).toBe('ready')
  scheduler.kill('SIGINT')
  expect(await scheduler.exited).toEqual({ code: 0, signal: null })
})

test('does not start without Redis, and says so', async () => {
  await using redis = await startRedis()
  await redis.stop()
  await using world = await createWorld(redis)
  const scheduler = world.spawn()
  expect((await scheduler.exited).code).toBe(1)
  expect(scheduler.lines.join('\n')).toMatch(
    /^REDIS_UNAVAILABLE: Redis cannot be reached at 127\.0\.0\.1:\d+\. Start it/m,
  )
})
