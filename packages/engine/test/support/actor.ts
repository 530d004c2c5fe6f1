import { join } from 'node:path'
import { type Clock, DAY, DEFAULT_DUE_POLICY, type Hook, makeId, noHook, type Platform } from '@tokenkeeper/core'
import { createBlueskyProvider, createHttp, type GraceProvider, type Provider } from '@tokenkeeper/providers'
import { createSealer, createSqliteStore, openStore, parseKeyRing, type Sealer, type Store } from '@tokenkeeper/store'
import { createLoggers, type LineSink } from '@tokenkeeper/telemetry'
import { openClockFile } from '@tokenkeeper/testkit'
import {
  createEngine,
  createHostPacing,
  createJournal,
  createSpool,
  DEFAULT_TIMES,
  type Engine,
  type Pacing,
  type ProtocolTimes,
} from '../../src/index.ts'
import { createGraphProviders, type GraphScene } from './graph-providers.ts'
import { journaled } from './journal.ts'

/** What processes that work on the same world share; plain data, so that it can be handed to a child. */
export interface Scene {
  readonly dir: string
  readonly keys: string
  readonly clockFile: string
  readonly plcUrl: string
  readonly hosts: readonly string[]
  /** Our apps at Meta; absent: the scene has none. */
  readonly graph?: GraphScene
  /** Where the accounts are in MongoDB; absent: in SQLite, below `dir`. */
  readonly mongoUrl?: string
}

export interface ActorOptions {
  readonly hook?: Hook
  readonly times?: Partial<ProtocolTimes>
  readonly store?: Store
  readonly provider?: (real: GraceProvider) => GraceProvider
  readonly clock?: Clock
  readonly log?: LineSink
  readonly keys?: string
  readonly spoolDir?: string
  readonly random?: () => number
  readonly pacing?: Pacing
}

/** One process's engine on the scene, with everything real: the store, HTTP, the spool. */
export interface Actor extends AsyncDisposable {
  readonly engine: Engine
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly provider: GraceProvider
}

export function databasePath(scene: Pick<Scene, 'dir'>): string {
  return join(scene.dir, 'tokenkeeper.db')
}

/** What actors on MongoDB write down, for the witness. */
export function journalPath(scene: Pick<Scene, 'dir'>): string {
  return join(scene.dir, 'journal')
}

/** As createActor, on the scene's own store, whichever that is. */
export async function openActor(scene: Scene, options: Omit<ActorOptions, 'store'> = {}): Promise<Actor> {
  if (scene.mongoUrl === undefined) return createActor(scene, options)
  const store = await openSceneStore(scene, options)
  const actor = createActor(scene, { ...options, store })
  return {
    ...actor,
    async [Symbol.asyncDispose]() {
      await actor[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** A handle of its own on the scene's store. */
export async function openSceneStore(scene: Scene, options: Pick<ActorOptions, 'clock' | 'hook'> = {}): Promise<Store> {
  const { clock = openClockFile(scene.clockFile), hook = noHook } = options
  if (scene.mongoUrl === undefined) return createSqliteStore({ path: databasePath(scene), clock, hook })
  return journaled(await openStore(scene.mongoUrl, { clock, hook }), journalPath(scene))
}

export function createActor(scene: Scene, options: ActorOptions = {}): Actor {
  const clock = options.clock ?? openClockFile(scene.clockFile)
  const hook = options.hook ?? noHook
  const store = options.store ?? createSqliteStore({ path: databasePath(scene), clock, hook })
  const sealer = createSealer(parseKeyRing(options.keys ?? scene.keys))
  const http = createHttp({ allowedPrivateHosts: scene.hosts })
  const real = createBlueskyProvider({ http, clock, plcUrl: scene.plcUrl })
  const provider = options.provider?.(real) ?? real
  const logger = createLoggers({
    level: options.log ? 'trace' : 'silent',
    format: 'json',
    ...(options.log ? { destination: options.log } : {}),
  })('engine')
  const engine = createEngine({
    clock,
    hook,
    store,
    sealer,
    makeId,
    random: options.random ?? Math.random,
    providers: new Map<Platform, Provider>([
      ['bluesky', provider],
      ...(scene.graph ? createGraphProviders(scene.graph, { http, clock }) : []),
    ]),
    spool: createSpool({ dir: options.spoolDir ?? join(scene.dir, 'spool'), clock, hook }),
    pacing: options.pacing ?? createHostPacing(clock),
    journal: createJournal({ dir: join(scene.dir, 'data', 'journal'), keepMs: 30 * DAY, clock, logger }),
    logger,
    workerId: `worker-${process.pid}-${makeId().slice(-6)}`,
    times: { ...DEFAULT_TIMES, ...options.times },
    due: DEFAULT_DUE_POLICY,
  })
  return {
    engine,
    store,
    sealer,
    clock,
    provider,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]()
      await http[Symbol.asyncDispose]()
      if (!options.store) await store[Symbol.asyncDispose]()
    },
  }
}
