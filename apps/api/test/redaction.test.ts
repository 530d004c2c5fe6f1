import { randomBytes } from 'node:crypto'
import { appRoutes } from '@bull-board/api/dist/routes.js'
import { makeApiKey, makeId } from '@tokenkeeper/core'
import { createSecretSearch, startRedis, until } from '@tokenkeeper/testkit'
import { Worker } from 'bullmq'
import { expect, test } from 'vitest'
import { logIn } from './board-client.ts'
import { ADMIN_KEY, createWorld } from './world.ts'

const random = (bytes: number) => randomBytes(bytes).toString('hex')
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = () => `${base64url({ typ: 'refresh+jwt' })}.${base64url({ jti: random(16) })}.${random(32)}`
const metaToken = () => `EAAB${random(80)}ZD`

/** Secrets where somebody with access to Redis, or a mistake of ours, may have put them; each place has its own. */
function plant() {
  const secrets: string[] = []
  const secret = (make: () => string) => {
    const made = make()
    secrets.push(made)
    return made
  }
  return { secrets, secret }
}

test('nothing that Bull Board serves shows a secret, wherever in Redis it lies', async () => {
  await using redis = await startRedis()
  await using world = await createWorld({ redisUrl: redis.url })
  const { secrets, secret } = plant()
  const { queues, redis: connections, prefix } = await world.connectRedis()

  const job = await queues.refresh.add(
    `name ${secret(jwt)}` as never,
    {
      accountId: makeId(),
      refreshJwt: secret(() => random(20)),
      deep: [{ note: `the token ${secret(jwt)} was refused` }],
      text: JSON.stringify({ access_token: secret(() => random(20)) }),
      url: `https://graph.example/me?access_token=${secret(() => random(20))}`,
      key: secret(() => makeApiKey(makeId())),
    } as never,
    { stackTraceLimit: 10 },
  )
  const reason = `The host said: ${secret(jwt)} is not ${secret(metaToken)}`
  const worker = new Worker(
    'refresh',
    async (running) => {
      await running.log(`sent authorization: Bearer ${secret(() => random(24))}`)
      await running.updateProgress({ step: 1, password: secret(() => random(12)) })
      throw new Error(reason)
    },
    { connection: connections.worker, prefix },
  )
  const done = await queues.schedule.add('sweep', {})
  const second = new Worker(
    'schedule',
    async () => ({ accessToken: secret(() => random(20)), note: secret(metaToken) }),
    {
      connection: connections.worker,
      prefix,
    },
  )
  for (const one of [worker, second]) one.on('error', () => {})
  await until(async () => (await job.getState()) === 'failed', { what: 'the job to fail' })
  await until(async () => (await done.getState()) === 'completed', { what: 'the other job to end' })
  await Promise.all([worker.close(), second.close()])
  await queues.schedule.upsertJobScheduler(
    'planted',
    { pattern: '0 0 1 1 *' },
    { name: 'sweep', data: { clientSecret: secret(() => random(20)), note: secret(jwt) } as never },
  )

  const search = createSecretSearch(secrets)
  const inRedis = new Set((await search.searchRedis(redis.url)).map(({ secretIndex }) => secretIndex))
  expect(inRedis.size).toBe(secrets.length)

  const session = await logIn(world.url, ADMIN_KEY)
  const paths = new Set<string>()
  for (const { method, route } of appRoutes.api) {
    if (method !== 'get') continue
    for (const queueName of ['refresh', 'schedule']) {
      const jobId = queueName === 'refresh' ? job.id! : done.id!
      paths.add([route].flat()[0]!.replace(':queueName', queueName).replace(':jobId', jobId))
    }
  }
  for (const queue of ['refresh', 'schedule', 'refresh-now']) {
    for (const status of ['latest', 'failed', 'completed', 'delayed']) {
      paths.add(`/api/queues?activeQueue=${queue}&status=${status}&page=1&jobsPerPage=10`)
    }
  }
  const seen: string[] = []
  for (const path of paths) {
    const { status, text } = await session.call('GET', `/queues${path}`)
    // Workers are not asked for at all.
    expect([path, status]).toEqual([path, path.endsWith('/workers') ? 403 : 200])
    expect([path, search.search(text, path)]).toEqual([path, []])
    seen.push(text)
  }
  // It was there to be seen, and what is no secret is.
  const all = seen.join('\n')
  for (const shown of ['The host said: ', 'was refused', '"planted"', 'sent authorization: ', '[secret]', '"step":1']) {
    expect(all).toContain(shown)
  }
  expect(search.search(world.lines.join('\n'), 'log')).toEqual([])
})
