import { fileURLToPath } from 'node:url'
import { enqueueRefresh } from '@tokenkeeper/queue'
import { createSecretSearch, spawnNode, tempDir, until } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import { createWorld } from './world.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

describe.concurrent.each(['SIGINT', 'SIGTERM'] as const)('%s', (signal) => {
  test('lets the calls in flight commit, takes no more jobs, and ends with 0', async ({ expect }) => {
    await using world = await createWorld()
    const [ids, secrets] = [await world.connect(6), [] as string[]]
    const { queues, clock } = await world.connectRedis()
    for (const id of ids) secrets.push(...Object.values(await world.tokensOf(id)))
    const held = world.proxy.fault({ kind: 'hold' })
    await using worker = world.spawnWorker({ WORKER_CONCURRENCY: '2' })
    await worker.waitForLine(/worker is ready/)
    const accounts = await world.store.accounts.getMany(ids)
    await enqueueRefresh(queues.refresh, accounts, { type: 'manual', force: true, clock })
    await until(() => world.presentations().length === 2, { what: 'two refreshes to be in flight' })
    worker.kill(signal)
    held.release()
    expect(await worker.exited).toEqual({ code: 0, signal: null })

    expect(world.presentations()).toHaveLength(2)
    const generations = (await world.store.accounts.getMany(ids)).map(({ generation }) => generation)
    expect(generations.toSorted()).toEqual([1, 1, 1, 1, 2, 2])
    expect(await queues.refresh.getJobCounts('active', 'completed', 'prioritized')).toEqual({
      active: 0,
      completed: 2,
      prioritized: 4,
    })
    for (const id of ids) secrets.push(...Object.values(await world.tokensOf(id)))
    const search = createSecretSearch([...new Set(secrets)])
    expect(await search.searchRedis(world.redis.url)).toEqual([])
    expect(search.search(worker.lines.join('\n'), 'log')).toEqual([])
    expect(await search.searchDir(world.env.DATA_DIR)).toEqual([])
  })

  test('a second one ends it at once', async ({ expect }) => {
    await using world = await createWorld()
    const ids = await world.connect(1)
    const { queues, clock } = await world.connectRedis()
    world.proxy.fault({ kind: 'hold' })
    await using worker = world.spawnWorker()
    await worker.waitForLine(/worker is ready/)
    const accounts = await world.store.accounts.getMany(ids)
    await enqueueRefresh(queues.refresh, accounts, { type: 'manual', force: true, clock })
    await until(() => world.presentations().length === 1, { what: 'a refresh to be in flight' })
    worker.kill(signal)
    await until(
      () => {
        worker.kill(signal)
        return worker.child.exitCode !== null
      },
      { what: 'the worker to end' },
    )
    expect(await worker.exited).toEqual({ code: signal === 'SIGINT' ? 130 : 143, signal: null })
  })
})

describe('a start that cannot be', () => {
  async function startWith(env: Record<string, string>) {
    await using dir = await tempDir()
    await using worker = spawnNode(MAIN, { env: { DATA_DIR: dir.path, ...env }, cwd: dir.path })
    return { ...(await worker.exited), output: worker.lines.join('\n') }
  }

  test.each([
    ['without Redis', { REDIS_URL: 'redis://127.0.0.1:1' }, /REDIS_UNAVAILABLE: .*127\.0\.0\.1:1\..*REDIS_URL/],
    ['with a bad value', { WORKER_CONCURRENCY: 'many' }, /CONFIG_INVALID: .*\n.*WORKER_CONCURRENCY/],
    ['with an unknown store', { DATABASE_URL: 'oracle:x' }, /STORE_URL_UNKNOWN: .*sqlite:PATH/],
    ['with a broken key', { TOKEN_ENCRYPTION_KEYS: 'k1:short' }, /TOKEN_ENCRYPTION_KEYS|KEY_RING_INVALID/],
  ])('%s says why and how to mend it, and ends with 1', async (_, env, said) => {
    const { code, output } = await startWith(env)
    expect(output).toMatch(said)
    expect(output).not.toMatch(/\n\s+at /)
    expect(code).toBe(1)
  })
})

test('the worker of production tells its parent that it is ready, and stops', async () => {
  await using world = await createWorld()
  await using worker = spawnNode(MAIN, { env: world.env, cwd: world.dir, ipc: true })
  const message = await new Promise((resolve) => worker.child.once('message', resolve))
  expect(message).toBe('ready')
  worker.kill('SIGTERM')
  expect(await worker.exited).toEqual({ code: 0, signal: null })
})
