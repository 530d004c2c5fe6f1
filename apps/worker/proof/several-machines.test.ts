import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@tokenkeeper/config'
import { createContext } from '@tokenkeeper/context'
import { makeId } from '@tokenkeeper/core'
import { mongoForTests, startFaultProxy, startPds, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { machinesAvailable, startMachine } from './machine.ts'

const entry = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const WORKER = entry('../src/main.ts')
const SCHEDULER = entry('../../scheduler/src/main.ts')
const API = entry('../../api/src/main.ts')
const ASK = entry('ask.ts')

const ACCOUNTS = 16
const API_PORT = 3_000

if (!machinesAvailable()) {
  if (process.env.TESTS_MUST_NOT_SKIP === '1') throw new Error('network namespaces cannot be made here')
  console.warn('Left out: several machines (network namespaces need root and iproute2)')
}
const mongo = await mongoForTests('several machines')

/**
 * Two workers, a scheduler and an API, each on a machine of its own, with one Redis and one MongoDB between them. One
 * worker's cable is pulled while its refreshes are on the way, and plugged in again.
 */
test.skipIf(mongo === null || !machinesAvailable())(
  'a machine cut off in mid-refresh loses nothing',
  { timeout: 240_000 },
  async () => {
    await using stack = new AsyncDisposableStack()
    const dir = stack.use(await tempDir())
    const redis = stack.use(await startRedis())
    const pds = stack.use(await startPds())
    const proxy = stack.use(await startFaultProxy({ target: pds.url }))
    const databaseUrl = mongo!.databaseUrl(`machines_${makeId()}`)
    const mongoPort = Number(new URL(databaseUrl).port || 27_017)
    const adminKey = randomBytes(24).toString('hex')
    const envOf = (machine: string) => ({
      DATA_DIR: join(dir.path, machine),
      DATABASE_URL: databaseUrl,
      TOKEN_ENCRYPTION_KEYS: keys,
      REDIS_URL: redis.url,
      PLC_URL: pds.plcUrl,
      ALLOWED_PRIVATE_HOSTS: 'localhost,127.0.0.1',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      ADMIN_API_KEY: adminKey,
      API_PORT: String(API_PORT),
      WORKER_CONCURRENCY: '8',
    })
    const keys = `k1:${randomBytes(32).toString('base64')}`
    const context = stack.use(await createContext(loadConfig({ ...envOf('here'), LOG_LEVEL: 'error' })))

    const users = await pds.createAccounts(ACCOUNTS)
    const ids: string[] = []
    for (const user of users) {
      await pds.moveDid(user.did, proxy.url)
      const { aud, exp } = JSON.parse(Buffer.from(user.refreshJwt.split('.')[1]!, 'base64url').toString())
      const account = await context.engine.connectAccount(
        {
          platform: 'bluesky',
          providerAppId: '',
          externalId: user.did,
          displayName: user.handle,
          serviceUrl: proxy.url,
          issuer: aud,
          scopes: [],
          credential: { accessToken: user.accessJwt, refreshToken: user.refreshJwt },
          accessExpiresAt: null,
          diesAt: exp * 1_000,
        },
        { ownerId: 'owner', actor: 'test' },
      )
      ids.push(account.id)
    }

    const ports = [redis.port, mongoPort, proxy.port, Number(new URL(pds.plcUrl).port)]
    const machine = async (number: number) => stack.use(await startMachine(number, ports))
    const [one, two, three, four] = [await machine(1), await machine(2), await machine(3), await machine(4)]
    await three.run(SCHEDULER, /scheduler is ready/, { env: envOf('three') })
    await four.run(API, /API is ready/, { env: envOf('four') })
    await one.run(WORKER, /worker is ready/, { env: envOf('one') })
    const second = await two.run(WORKER, /worker is ready/, { env: envOf('two') })

    const held = proxy.fault({ kind: 'hold' })
    const url = `http://127.0.0.1:${API_PORT}/api/admin/refresh-tokens`
    const asked = await four.run(ASK, /^\d{3} /, { args: ['POST', url, adminKey, '{}'] })
    expect(asked.lines.at(-1)).toMatch(/^202 /)
    await until(() => held.hits >= ACCOUNTS, { what: 'all refreshes to be on the way', timeoutMs: 60_000 })

    one.pullCable()
    held.release()
    const refreshed = async () => {
      const accounts = await context.store.accounts.getMany(ids)
      return accounts.filter((account) => account.lastAttempt?.outcome === 'refreshed').length
    }
    await until(async () => (await refreshed()) > 0, { what: 'the other worker to commit' })
    const cutAt = performance.now()
    await until(async () => (await refreshed()) === ACCOUNTS, {
      what: 'the other worker to take over',
      timeoutMs: 60_000,
    })
    console.log(
      `all ${ACCOUNTS} refreshed ${((performance.now() - cutAt) / 1_000).toFixed(1)} s after a machine was cut off`,
    )

    one.plugIn()
    const begunBefore = Date.now()
    const runId = JSON.parse(asked.lines.at(-1)!.slice(4)).runId as string
    const settled = async () => {
      if ((await context.store.runs.get(runId))?.finishedAt === null) return false
      const accounts = await context.store.accounts.getMany(ids)
      return accounts.every((account) => account.attempt === null && account.outbox.length === 0)
    }
    await until(settled, { what: 'the run and all attempts to be over', timeoutMs: 90_000 })
    // What the machine that was away still does must change nothing, and it is of use again: it alone is left.
    second.kill()
    const again = await four.run(ASK, /^\d{3} /, { args: ['POST', url, adminKey, '{}'] })
    expect(again.lines.at(-1)).toMatch(/^202 /)
    const reached = async () => {
      const accounts = await context.store.accounts.getMany(ids)
      return accounts.every((account) => (account.lastRefreshedAt ?? 0) > begunBefore && account.attempt === null)
    }
    await until(reached, { what: 'the second refresh-all', timeoutMs: 90_000 })

    for (const account of await context.store.accounts.getMany(ids)) {
      expect(account.status).toBe('active')
      const { accessToken } = JSON.parse(context.sealer.open(account.sealedCredential, account.id, 'credential'))
      expect((await pds.getSession(accessToken)).status).toBe(200)
      const log = await context.store.log.list({ accountId: account.id, limit: 50 })
      expect(new Set(log.map((item) => item.id)).size).toBe(log.length)
      expect(log.filter((item) => item.outcome === 'refreshed').length).toBe(account.generation - 1)
    }
  },
)
