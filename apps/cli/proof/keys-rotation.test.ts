import type { AppContext } from '@tokenkeeper/context'
import { spawnNode, startInstantHost, until } from '@tokenkeeper/testkit'
import { expect, test } from 'vitest'
import { keysRotateJson, keysStatusJson } from '../src/json/keys.ts'
import { lastLine, MAIN } from '../test/cli.ts'
import { buildSealed, createKeysWorld, newKey, sealerOf } from '../test/keys-world.ts'

const ACCOUNTS = 10_000
const REFRESHING = 2
const UNUSED = { current: 0, previous: 0, former: 0, appPasswords: 0, pages: 0, spooled: 0, journaled: 0 }

/** Refreshes one account after another until told to stop; returns how often, and with what outcomes. */
async function refreshOnAndOn({ engine }: AppContext, ids: readonly string[], signal: AbortSignal) {
  const outcomes = new Map<string, number>()
  const lane = async (offset: number) => {
    for (let i = offset; !signal.aborted; i += 7) {
      const { kind } = await engine.refreshAccount(ids[i % ids.length]!, { type: 'scheduled', force: true })
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: 10 }, (_, i) => lane(i * 997)))
  return outcomes
}

test('the keys of 10,000 accounts are rotated while engines refresh them, killed and resumed; then the new key alone opens all', async () => {
  await using world = await createKeysWorld()
  await using host = await startInstantHost()
  const [oldKey, newest] = [newKey('old'), newKey('new')]
  const ring = `${newest},${oldKey}`
  const { store } = await world.open(oldKey)
  const old = sealerOf(oldKey)
  const accounts = Array.from({ length: ACCOUNTS }, () => buildSealed(old, host.url))
  await Promise.all(accounts.map((account) => store.accounts.insert(account)))
  const ids = accounts.map(({ id }) => id)
  const sealedByNew = async () => (await store.accounts.countKeys()).find(({ keyId }) => keyId === 'new')?.current ?? 0

  const early = keysStatusJson.parse(JSON.parse((await world.run(ring, 'keys', 'status', '--json')).stdout))
  expect(early).toMatchObject([{ keyId: 'new' }, { keyId: 'old', current: ACCOUNTS, mayBeDropped: false }])
  const tooEarly = keysStatusJson.parse(JSON.parse((await world.run(newest, 'keys', 'status', '--json')).stdout))
  expect(tooEarly).toMatchObject([{ keyId: 'new' }, { keyId: 'old', state: 'missing' }])

  const stop = new AbortController()
  const engines = await Promise.all(Array.from({ length: REFRESHING }, () => world.open(ring)))
  const refreshing = engines.map((engine) => refreshOnAndOn(engine, ids, stop.signal))
  const env = { ...world.env, TOKEN_ENCRYPTION_KEYS: ring }
  {
    await using killed = spawnNode(MAIN, { args: ['keys', 'rotate'], cwd: world.dir, env })
    await until(async () => (await sealedByNew()) > ACCOUNTS / 4, { what: 'a part to be sealed anew', everyMs: 5 })
    killed.kill('SIGKILL')
    expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })
  }
  const between = await sealedByNew()
  const rotated = await world.run(ring, 'keys', 'rotate', '--json')
  stop.abort()
  const outcomes = await Promise.all(refreshing)
  await Promise.all(engines.map(({ engine }) => engine[Symbol.asyncDispose]()))

  expect(between).toBeLessThan(ACCOUNTS)
  expect(rotated.code).toBe(0)
  const summary = keysRotateJson.parse(JSON.parse(lastLine(rotated.stdout)))
  expect(summary).toMatchObject({ failed: 0, interrupted: false })
  expect(summary.keys).toMatchObject([
    { keyId: 'new', current: ACCOUNTS },
    { keyId: 'old', current: 0, previous: 0 },
  ])
  // A refresh that had begun before its account was sealed anew may have brought an earlier credential back.
  const after = await world.run(ring, 'keys', 'rotate', '--json')
  expect(keysRotateJson.parse(JSON.parse(lastLine(after.stdout))).keys).toMatchObject([
    { keyId: 'new', current: ACCOUNTS },
    { ...UNUSED, keyId: 'old', mayBeDropped: true },
  ])
  for (const kinds of outcomes) {
    expect(kinds.get('refreshed')).toBeGreaterThan(100)
    // One that the other engine is at, or was faster with; none that could not be opened or was lost.
    expect([...kinds.keys()].filter((kind) => !['refreshed', 'busy', 'fenced', 'skipped'].includes(kind))).toEqual([])
  }

  const alone = await world.open(newest)
  for (let from = 0; from < ACCOUNTS; from += 500) {
    for (const account of await alone.store.accounts.getMany(ids.slice(from, from + 500))) {
      const { id, sealedCredential, previousCredential, formerCredentials, status } = account
      expect(status).toBe('active')
      for (const sealed of [sealedCredential, previousCredential, ...formerCredentials.map((it) => it.sealed)]) {
        if (sealed !== null) expect(alone.sealer.open(sealed, id, 'credential')).toContain('refreshToken')
      }
    }
  }
  const [id] = ids
  expect(await alone.engine.refreshAccount(id!, { type: 'manual', force: true })).toMatchObject({ kind: 'refreshed' })
})
