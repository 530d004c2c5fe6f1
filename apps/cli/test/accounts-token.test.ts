import { startGraphEmulator } from '@tokenkeeper/graph-emulator'
import { createSecretSearch } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { accountJson } from '../src/json/accounts.ts'
import { lastLine } from './cli.ts'
import { openPlace } from './place.ts'

const HOSTS = {
  meta: { family: 'facebook', prefix: '', url: 'META_GRAPH_URL' },
  instagram: { family: 'instagram', prefix: 'INSTAGRAM_', url: 'INSTAGRAM_GRAPH_URL' },
  threads: { family: 'threads', prefix: 'THREADS_', url: 'THREADS_GRAPH_URL' },
} as const

test.each(['meta', 'instagram', 'threads'] as const)('accounts add %s takes a token from stdin', async (platform) => {
  await using emulator = await startGraphEmulator()
  const { control, urls } = emulator
  const { family, prefix, url } = HOSTS[platform]
  const app = control.createApp({ family, redirectUris: [], requireProof: family === 'facebook' })
  const user = control.createUser({ family, name: 'A User' })
  control.grant({ appId: app.id, userId: user.id })
  const { accessToken } = control.issueToken({ appId: app.id, userId: user.id, longLived: false })
  await using place = await openPlace({
    env: { [`${prefix}APP_ID`]: app.id, [`${prefix}APP_SECRET`]: app.secret, [url]: urls[family] },
  })
  const added = await place.run(['accounts', 'add', platform, '--token-stdin', '--owner', 'ada', '--json'], accessToken)
  expect(added.code).toBe(0)
  const account = accountJson.parse(JSON.parse(added.stdout))
  expect(account).toMatchObject({ platform, externalId: user.id, ownerId: 'ada', status: 'active' })
  const kept = await place.credentialOf(account.id)
  expect(control.inspectToken({ token: kept.accessToken })).toMatchObject({ valid: true, longLived: true })

  const refused = await place.run(['accounts', 'add', platform, '--token-stdin'], `EAA${'x'.repeat(40)}`)
  expect([refused.code, lastLine(refused.stderr)]).toEqual([1, expect.stringMatching(/^LOGIN_REFUSED: /)])
  const search = createSecretSearch([accessToken, kept.accessToken, app.secret, 'x'.repeat(40)])
  expect(search.search(place.outputs.join('\n'), 'output')).toEqual([])
  expect(await search.searchDir(place.dir)).toEqual([])
})

test('a platform that is not configured says what it needs', async () => {
  await using place = await openPlace()
  const { code, stderr } = await place.run(['accounts', 'add', 'threads', '--token-stdin'], 'a-token-that-nobody-sees')
  expect([code, lastLine(stderr)]).toEqual([1, expect.stringContaining('threads (needs THREADS_APP_ID')])
})
