import type { ClockFile, FaultProxy, Pds, RedisServer } from '@tokenkeeper/testkit'
import type { Options } from '../options.ts'
import type { Random } from '../random.ts'
import type { Database } from './database.ts'
import type { Fleet } from './fleet.ts'

/** Where faults strike: real servers and a fleet of real processes, whatever program these run. */
export interface Arena extends AsyncDisposable {
  readonly options: Options
  readonly random: Random
  readonly clockFile: ClockFile
  readonly redis: RedisServer
  readonly pds: Pds
  /** Between the fleet and the PDS; the home of all users. */
  readonly proxy: FaultProxy
  readonly database: Database
  readonly fleet: Fleet
  /** Asks once for a refresh of every account. Rejects while Redis is away. */
  readonly askForAll: (random: Random) => Promise<void>
}
