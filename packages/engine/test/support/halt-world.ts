import { type Halt, HOUR, haltIdOf, MINUTE } from '@tokenkeeper/core'
import { expect } from 'vitest'
import { createGraphWorld, type GraphPlatform } from './graph-world.ts'

export type HaltWorld = Awaited<ReturnType<typeof createHaltWorld>>

interface LogLine {
  readonly level: number
  readonly msg: string
  readonly code?: string
}

const ERROR_LEVEL = 50

/** The one request that finds out that an app is still refused. */
export const PROBES = {
  meta: ['/oauth/access_token client_credentials'],
  instagram: ['/refresh_access_token ig_refresh_token'],
  threads: ['/refresh_access_token th_refresh_token'],
} as const satisfies Record<GraphPlatform, readonly string[]>

/** The Graph world, and what it takes to have our apps refused there. */
export async function createHaltWorld() {
  const lines: LogLine[] = []
  const log = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const world = await createGraphWorld({ log })
  const { control, store, clock } = world
  const appOf = (platform: GraphPlatform) => world.scene.graph![platform].app
  return {
    ...world,
    log,
    errors: () => lines.filter(({ level }) => level >= ERROR_LEVEL),
    appOf,
    haltOf: (platform: GraphPlatform) => store.halts.get(haltIdOf(platform, appOf(platform).id)),
    /** A halt that began now. */
    halted: (platform: GraphPlatform, more: Partial<Halt> = {}): Halt => ({
      id: haltIdOf(platform, appOf(platform).id),
      platform,
      providerAppId: appOf(platform).id,
      state: 'halted',
      code: 'META_APP_BLOCKED',
      suspects: [],
      since: clock.now(),
      probeAt: clock.now() + 15 * MINUTE,
      ...more,
    }),
    /** Of the Facebook app. Default: one that we do not know. */
    resetSecret: (secret?: string) => control.resetSecret({ appId: appOf('meta').id, ...(secret && { secret }) }),
    setStanding: (platform: GraphPlatform, standing: 'live' | 'disabled' | 'restricted') =>
      control.setAppStanding({ appId: appOf(platform).id, standing }),
    /** What the emulator was asked since the last look. */
    watchRequests() {
      let after = control.requests({}).count
      return () => {
        const { count, requests } = control.requests({ after })
        after = count
        return requests.map(({ path, grantType }) => (grantType ? `${path} ${grantType}` : path))
      }
    },
    /** New accounts, old enough to be refreshed. */
    async connectMany(platform: GraphPlatform, count: number): Promise<string[]> {
      const ids: string[] = []
      for (let i = 0; i < count; i++) ids.push((await world.connect(platform)).account.id)
      world.pass(25 * HOUR)
      return ids
    },
    async expectAllActive(ids: readonly string[], generation: number): Promise<void> {
      for (const account of await store.accounts.getMany(ids)) {
        expect(account).toMatchObject({ status: 'active', statusReason: null, generation, attempt: null })
      }
    },
  }
}
