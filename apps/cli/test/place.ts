import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCredential } from '@tokenkeeper/engine'
import { createSealer, createSqliteStore, parseKeyRing } from '@tokenkeeper/store'
import { type Pds, type RedisServer, tempDir } from '@tokenkeeper/testkit'
import { type Ran, runCli } from './cli.ts'

export interface World {
  /** The real world of Bluesky. Without one: a host that is allowed, and that nobody asks. */
  readonly pds?: Pds
  readonly redis?: RedisServer
  readonly env?: Readonly<Record<string, string>>
}

/** The host of sessions that are only stored and listed. */
export const SILENT_HOST = 'localhost:2583'

export type Place = Awaited<ReturnType<typeof openPlace>>

/** A fresh place to run commands in, with SQLite and the keys that they make there. Keeps all that they print. */
export async function openPlace({ pds, redis, env: more = {} }: World = {}) {
  const dir = await tempDir()
  const hosts = pds ? [pds.url, pds.plcUrl].map((url) => new URL(url).host) : [SILENT_HOST]
  const env = {
    ALLOWED_PRIVATE_HOSTS: hosts.join(),
    API_PORT: '0',
    ...(pds && { PLC_URL: pds.plcUrl }),
    ...(redis && { REDIS_URL: redis.url, QUEUE_PREFIX: `{${dir.path.split('-').at(-1)}}` }),
    ...more,
  }
  const outputs: string[] = []
  const openStore = () => createSqliteStore({ path: join(dir.path, '.data/tokenkeeper.db') })
  return {
    dir: dir.path,
    path: (name: string) => join(dir.path, name),
    env,
    outputs,
    async run(args: readonly string[], input?: string): Promise<Ran> {
      const ran = await runCli(args, { cwd: dir.path, env, ...(input !== undefined && { input }) })
      outputs.push(ran.stdout, ran.stderr)
      return ran
    },
    openStore,
    async credentialOf(id: string) {
      await using store = openStore()
      const account = await store.accounts.get(id)
      const sealer = createSealer(parseKeyRing(await readFile(join(dir.path, '.data/keys'), 'utf8')))
      return openCredential(sealer, id, account!.sealedCredential)
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
}
