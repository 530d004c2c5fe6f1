import type { Clock, DuePolicy, Hook, MakeId, Platform } from '@tokenkeeper/core'
import type { Provider } from '@tokenkeeper/providers'
import type { Sealer, Store } from '@tokenkeeper/store'
import type { Logger } from '@tokenkeeper/telemetry'
import type { Journal } from './journal/journal.ts'
import type { Pacing } from './pacing.ts'
import type { Spool } from './spool/spool.ts'
import type { ProtocolTimes } from './times.ts'

/** Everything that the engine touches, handed in: a simulation drives the real code with its own. */
export interface EngineDeps {
  readonly clock: Clock
  readonly makeId: MakeId
  /** In [0, 1); jitter only. */
  readonly random: () => number
  readonly store: Store
  readonly sealer: Sealer
  readonly providers: ReadonlyMap<Platform, Provider>
  readonly spool: Spool
  readonly journal: Journal
  readonly pacing: Pacing
  readonly hook: Hook
  readonly logger: Logger
  readonly workerId: string
  readonly times: ProtocolTimes
  readonly due: DuePolicy
  /** Takes the relay off the hands of a refresh; the engine sets it for `relayLater`. Absent: a refresh waits for it. */
  readonly inBackground?: (work: Promise<unknown>) => void
}
