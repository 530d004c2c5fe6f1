import type { Clock, MakeId, Platform } from '@tokenkeeper/core'
import type { Engine } from '@tokenkeeper/engine'
import type { Store } from '@tokenkeeper/store'
import type { Logger } from '@tokenkeeper/telemetry'
import type { RedisConnections } from './connection.ts'
import type { Queues } from './queues.ts'
import type { Schedule } from './schedule.ts'
import type { QueueSettings } from './settings.ts'

/** What a producer needs: a scheduler, an API, a command. */
export interface ProducerDeps {
  readonly store: Store
  readonly queues: Queues
  readonly clock: Clock
  readonly makeId: MakeId
  readonly logger: Logger
  readonly settings: QueueSettings
  readonly schedules: readonly Schedule[]
}

export interface WorkerDeps extends ProducerDeps {
  readonly engine: Engine
  readonly redis: RedisConnections
  readonly prefix: string
  /** Platforms that can be refreshed here. */
  readonly platforms: readonly Platform[]
}
