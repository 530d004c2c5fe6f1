import type { Clock, MakeId, Platform } from '@tokenkeeper/core'
import type { Engine } from '@tokenkeeper/engine'
import type { Store } from '@tokenkeeper/store'
import type { Logger } from '@tokenkeeper/telemetry'
import type { RedisConnections } from './connection.ts'
import type { Queues } from './queues.ts'
import type { DefaultSettings } from './schedules/defaults.ts'
import type { QueueSettings } from './settings.ts'

/** What a producer needs: a scheduler, an API, a command. */
export interface ProducerDeps {
  readonly store: Store
  readonly queues: Queues
  readonly clock: Clock
  readonly makeId: MakeId
  readonly logger: Logger
  readonly settings: QueueSettings
  /** What the environment sets of the default schedules. */
  readonly schedules: DefaultSettings
}

export interface WorkerDeps extends ProducerDeps {
  readonly engine: Engine
  readonly redis: RedisConnections
  readonly prefix: string
  /** Platforms that can be refreshed here. */
  readonly platforms: readonly Platform[]
}

/** What is left of that for work without Redis. */
export type LocalDeps = Omit<WorkerDeps, 'queues' | 'redis' | 'prefix' | 'schedules'>
