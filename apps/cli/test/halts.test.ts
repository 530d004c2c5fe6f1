import { join } from 'node:path'
import { createSqliteStore } from '@tokenkeeper/store'
import { buildHalt } from '@tokenkeeper/store/conformance'
import { tempDir } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { runCli } from './cli.ts'

async function makePlace() {
  await using stack = new AsyncDisposableStack()
  const dir = stack.use(await tempDir())
  const store = stack.use(createSqliteStore({ path: join(dir.path, '.data/tokenkeeper.db') }))
  const rest = stack.move()
  return {
    store,
    run: (...args: string[]) => runCli(['halts', ...args], { cwd: dir.path, env: {} }),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

test('halts are shown, to people and to programs', async () => {
  await using place = await makePlace()
  expect(await place.run()).toMatchObject({ code: 0, stdout: 'No platform is halted.\n' })
  const now = Date.now()
  const halt = buildHalt({ since: now - 3_630_000, probeAt: now + 330_000 })
  await place.store.halts.insert(halt)
  const { stdout } = await place.run()
  const { platform, providerAppId, suspects } = halt
  const line = `^${platform} +${providerAppId} +halted +1 h ago +in 5 min +META_APP_SECRET_WRONG: .*configuration`
  expect(stdout).toMatch(new RegExp(line, 'm'))
  const [shown, ...others] = JSON.parse((await place.run('--json')).stdout)
  expect(others).toEqual([])
  expect(shown).toEqual({
    platform,
    appId: providerAppId,
    state: 'halted',
    code: 'META_APP_SECRET_WRONG',
    message: expect.any(String),
    suspects,
    since: new Date(halt.since).toISOString(),
    probeAt: new Date(halt.probeAt).toISOString(),
  })
})

test('halts are ended, which is recorded', async () => {
  await using place = await makePlace()
  const [one, two] = [buildHalt({ platform: 'meta' }), buildHalt({ platform: 'meta' })]
  for (const halt of [one, two, buildHalt({ platform: 'threads' })]) await place.store.halts.insert(halt)
  expect(await place.run('end', 'meta', '--app', two.providerAppId)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`app ${two.providerAppId}`),
  })
  expect((await place.run('end', 'meta')).stdout).toContain(`app ${one.providerAppId}`)
  expect((await place.store.halts.list()).map(({ platform }) => platform)).toEqual(['threads'])
  const audit = await place.store.audit.list({ limit: 9 })
  expect(audit.map(({ action, actor }) => [action, actor])).toEqual(Array(2).fill(['halt.ended', 'cli']))

  const again = await place.run('end', 'meta')
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^HALT_NOT_FOUND: .*tokenkeeper halts/m)])
  const unknown = await place.run('end', 'myspace')
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('Allowed choices are bluesky, meta')])
})
