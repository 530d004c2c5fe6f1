import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeId } from '@tokenkeeper/core'
import { freePort, mongoForTests, type NodeProcess, spawnNode, startRedis, tempDir, until } from '@tokenkeeper/testkit'
import { DCLinter } from 'dclint'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from './pm2.ts'

interface Service {
  readonly command: readonly string[]
  readonly env_file?: readonly { readonly path: string }[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly networks?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes: readonly string[]
  readonly secrets?: readonly string[]
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test: readonly string[] }
}

interface Complaint {
  readonly rule: string
  readonly message: string
}

const COMPOSE = join(ROOT, 'docker-compose.yml')
const { services, networks, volumes } = parse(readFileSync(COMPOSE, 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  networks: Record<string, { readonly internal?: boolean }>
  volumes: Record<string, unknown>
}
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
const APPS = ['scheduler', 'worker', 'api'] as const

/** What breaks the compose schema, or is unsafe; the order of keys is ours. */
function complaints(file: string): string[] {
  const rules = {
    'require-quotes-in-ports': 0,
    'service-keys-order': 0,
    'services-alphabetical-order': 0,
    'top-level-properties-order': 0,
  } as const
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] })
  const results: readonly { messages: readonly Complaint[] }[] = linter.lintFiles([file], false)
  return results.flatMap(({ messages }) => messages.map(({ rule, message }) => `${rule}: ${message}`))
}

test('docker-compose.yml keeps to the compose schema', async () => {
  expect(complaints(COMPOSE)).toEqual([])
  await using dir = await tempDir()
  const broken = join(dir.path, 'docker-compose.yml')
  writeFileSync(broken, readFileSync(COMPOSE, 'utf8').replace('stop_grace_period:', 'stop_grace:'))
  expect(complaints(broken).join()).toMatch(/invalid-schema/)
})

test('nothing is published beyond this machine', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? [])
  expect(ports).toHaveLength(1)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
})

test('all apps share the spool, and are given time to commit', () => {
  for (const name of APPS) {
    const { environment, volumes, stop_grace_period } = services[name]!
    expect(volumes).toEqual([`data:${environment!.DATA_DIR}`])
    // The default of PROVIDER_TIMEOUT_MS, and 10 s to commit.
    expect(Number(/^(\d+)s$/.exec(stop_grace_period!)?.[1])).toBeGreaterThan(30 + 10)
  }
})

test('every service says whether it is well, and what it keeps is in named volumes', () => {
  for (const [name, { healthcheck, volumes: mounts }] of Object.entries(services)) {
    expect(healthcheck?.test, name).toBeDefined()
    expect(mounts.length, name).toBeGreaterThan(0)
    for (const mount of mounts) expect(Object.keys(volumes), name).toContain(mount.split(':')[0])
  }
})

test('the apps can do no more than they must, and Redis and MongoDB cannot be reached from elsewhere', () => {
  for (const name of APPS) {
    expect(services[name]).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      env_file: [{ path: '.env.docker' }],
    })
  }
  for (const name of ['redis', 'mongo']) expect(services[name]!.networks).toEqual(['inside'])
  expect(networks.inside).toMatchObject({ internal: true })
  expect(services.mongo!.command).toEqual(expect.arrayContaining(['mongod', '--replSet', 'rs0']))
  expect(services.worker!.environment!.DATABASE_URL).toMatch(/^mongodb:.*replicaSet=rs0/)
})

test('the image has the Node of this project, and runs its processes as nobody special', () => {
  const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const image = dockerfile.match(/^FROM node:([\d.]+)-/m)?.[1]
  expect(Object.values(optionalDependencies)).toContain(image)
  expect(dockerfile.match(/^USER (.+)$/m)?.[1]).toBe('node')
  expect(JSON.parse(dockerfile.match(/^CMD (.+)$/m)![1]!)).toEqual(services.worker!.command)
})

test('outside of Docker, the same commands in the same environment start, work and stop', async () => {
  await using dir = await tempDir()
  // As the service of that name runs it.
  const [, ...redisArgs] = services.redis!.command
  await using redis = await startRedis({ args: redisArgs })
  await using mongo = await mongoForTests('the commands of docker-compose.yml on MongoDB')
  const admin = new Redis(redis.url)
  expect(await admin.config('GET', 'appendonly')).toEqual(['appendonly', 'yes'])
  expect(await admin.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
  admin.disconnect()
  const ports = { scheduler: `${await freePort()}`, worker: `${await freePort()}`, api: `${await freePort()}` }
  const databaseUrl = mongo?.databaseUrl(`compose_${makeId()}`) ?? `sqlite:${join(dir.path, 'test.db')}`
  const secrets: Readonly<Record<string, string>> = {
    token_encryption_keys: `k1:${randomBytes(32).toString('base64')}`,
    admin_api_key: randomBytes(32).toString('hex'),
  }
  for (const [name, secret] of Object.entries(secrets)) writeFileSync(join(dir.path, name), secret)

  const start = (name: (typeof APPS)[number]): NodeProcess => {
    const { command, environment, secrets: granted = [] } = services[name]!
    const [program, entry, ...args] = command
    expect(program).toBe('node')
    const paths = granted.map((secret) => [`/run/secrets/${secret}`, join(dir.path, secret)] as const)
    const replaced = Object.entries(environment!).map(([variable, value]) => [
      variable,
      paths.find(([inside]) => inside === value)?.[1] ?? value,
    ])
    const env = {
      ...Object.fromEntries(replaced),
      // What is elsewhere here.
      DATA_DIR: join(dir.path, 'data'),
      DATABASE_URL: databaseUrl,
      REDIS_URL: redis.url,
      ...(name === 'api' ? { API_HOST: '127.0.0.1', API_PORT: ports.api } : { HEALTH_PORT: ports[name] }),
    }
    return spawnNode(join(ROOT, entry!), { env, args, cwd: dir.path })
  }
  const isHealthy = async (name: (typeof APPS)[number]) => {
    const [, , ...args] = services[name]!.healthcheck!.test
    const check = args.map((arg) => arg.replace(':3000/', `:${ports[name]}/`))
    await using run = spawnNode(check[0]!, { args: check.slice(1) })
    return (await run.exited).code === 0
  }

  for (const name of APPS) expect(await isHealthy(name)).toBe(false)
  await using scheduler = start('scheduler')
  await using worker = start('worker')
  await using api = start('api')
  await Promise.all([
    scheduler.waitForLine(/scheduler is ready/),
    worker.waitForLine(/worker is ready/),
    api.waitForLine(/API is ready/),
  ])
  for (const name of APPS) expect(await isHealthy(name)).toBe(true)
  const refreshAll = await fetch(`http://127.0.0.1:${ports.api}/api/admin/refresh-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets.admin_api_key}`, 'content-type': 'application/json' },
    body: '{}',
  })
  expect(refreshAll.status).toBe(202)
  const { runId } = (await refreshAll.json()) as { runId: string }
  const run = async () => {
    const headers = { authorization: `Bearer ${secrets.admin_api_key}` }
    return (await fetch(`http://127.0.0.1:${ports.api}/api/admin/runs/${runId}`, { headers })).json()
  }
  await until(async () => ((await run()) as { finishedAt: unknown }).finishedAt, { what: 'the run to finish' })
  for (const process of [api, worker, scheduler]) {
    process.kill('SIGTERM')
    expect(await process.exited).toEqual({ code: 0, signal: null })
    expect(process.lines.join('\n')).not.toContain(secrets.admin_api_key)
  }
})
