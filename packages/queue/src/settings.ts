import { DAY, MINUTE, SECOND } from '@tokenkeeper/core'

/** All times in ms. */
export interface QueueSettings {
  /** Jobs of `refresh` that one process works on at once. */
  readonly concurrency: number
  /** Jobs of `refresh-now` that one process works on at once, whatever the bulk does. */
  readonly urgentConcurrency: number
  /** See {@link DEFAULT_QUEUE_SETTINGS} for how lock and stalled check add up. */
  readonly lockMs: number
  readonly stalledCheckMs: number
  /** How often stale attempts are looked for. */
  readonly staleScanMs: number
  /** How often left-over outboxes and unfinished removals are looked for. */
  readonly relayEveryMs: number
  /** How often spools are replayed: normally, and while there is something to deliver. */
  readonly replayEveryMs: number
  readonly replayAgainMs: number
  /** How often halts are looked at that may have come to the time of a probe. */
  readonly haltProbeEveryMs: number
  readonly sweepEveryMs: number
  /** The sweep adds no page while this many jobs wait in `refresh`. */
  readonly maxDepth: number
  /** How often schedules and unfinished runs are put back into Redis, should they be missing. */
  readonly reconcileEveryMs: number
  /** How long closing waits for refreshes in flight: the provider's time-out and a margin to commit. */
  readonly closeMs: number
  /** How long what has happened is kept; runs from their end. */
  readonly keepMs: { readonly log: number; readonly events: number; readonly runs: number; readonly audit: number }
}

/**
 * A worker's death to the next run of its jobs, at most: the dead worker's lock ends within `lockMs`. Workers of a queue
 * share one stalled check in each `stalledCheckMs`, and their timers drift against it, so up to twice that lies between
 * two checks; the first one after the lock's end puts the job back. 8 s + 2 × 3 s = 14 s. A stale attempt comes back by
 * the scan too: lease 12 s + scan 4 s = 16 s. Both stay under 20 s.
 */
export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  concurrency: 50,
  urgentConcurrency: 10,
  lockMs: 8 * SECOND,
  stalledCheckMs: 3 * SECOND,
  staleScanMs: 4 * SECOND,
  relayEveryMs: 15 * SECOND,
  replayEveryMs: MINUTE,
  replayAgainMs: 3 * SECOND,
  haltProbeEveryMs: MINUTE,
  sweepEveryMs: MINUTE,
  maxDepth: 10_000,
  // Whatever is lost right after a look is back within 20 s.
  reconcileEveryMs: 15 * SECOND,
  closeMs: 40 * SECOND,
  keepMs: { log: 400 * DAY, events: 30 * DAY, runs: 90 * DAY, audit: 400 * DAY },
}
