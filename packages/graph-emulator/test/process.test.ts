import { fileURLToPath } from 'node:url'
import { spawnNode } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { ask } from './world.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const FREE = ['--facebook-port', '0', '--instagram-port', '0', '--threads-port', '0', '--control-port', '0']
/** Node has to start first, on whatever machine. */
const START_MS = 60_000

test.each(['SIGINT', 'SIGTERM'] as const)('runs until %s, and then ends with 0', async (signal) => {
  await using emulator = spawnNode(MAIN, { args: [...FREE, '--json'] })
  const [line] = await emulator.waitForLine(/^\{.*\}$/, START_MS)
  const { urls, example } = JSON.parse(line)
  const { id, secret } = example.apps.facebook
  const both = { appId: id, userId: '1001' }
  const control = (name: string, input: object) =>
    ask(`${urls.control}/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    })
  await control('grant', both)
  const { accessToken } = (await control('issueToken', both)).body
  const accounts = await ask(`${urls.facebook}/v26.0/me/accounts?access_token=${accessToken}`)
  expect(accounts.body.data).toHaveLength(3)
  const debug = new URLSearchParams({ input_token: accessToken, access_token: `${id}|${secret}` })
  expect((await ask(`${urls.facebook}/debug_token?${debug}`)).body.data.is_valid).toBe(true)
  emulator.kill(signal)
  expect(await emulator.exited).toEqual({ code: 0, signal: null })
})

test('shows what to try', async () => {
  await using emulator = spawnNode(MAIN, { args: [...FREE, '--redirect-uri', 'http://localhost:9/back'] })
  await emulator.waitForLine(/^Graph emulator is ready/, START_MS)
  await emulator.waitForLine(/redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fback/)
  await emulator.waitForLine(/curl http:\/\/127\.0\.0\.1:\d+\/inject/)
})

test('says that a port is taken', async () => {
  await using first = spawnNode(MAIN, { args: [...FREE, '--json', '--empty'] })
  const [line] = await first.waitForLine(/^\{.*\}$/, START_MS)
  const { urls, example } = JSON.parse(line)
  expect(example).toBeUndefined()
  await using second = spawnNode(MAIN, { args: [...FREE, '--control-port', new URL(urls.control).port] })
  expect(await second.exited).toEqual({ code: 1, signal: null })
  expect(second.lines.join('\n')).toMatch(/could not be started: .*EADDRINUSE/)
})

test('tells its options, and refuses a port that is none', async () => {
  await using help = spawnNode(MAIN, { args: ['--help'] })
  expect((await help.exited).code).toBe(0)
  expect(help.stdoutLines.join('\n')).toContain('--facebook-port')
  await using wrong = spawnNode(MAIN, { args: ['--threads-port', 'x'] })
  expect((await wrong.exited).code).toBe(1)
})
