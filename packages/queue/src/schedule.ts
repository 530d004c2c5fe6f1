import type { Platform } from '@tokenkeeper/core'

/** A refresh-all that comes back by a cron pattern. */
export interface Schedule {
  readonly id: string
  /** Five fields: minute, hour, day of month, month, day of week. */
  readonly pattern: string
  /** IANA name of the time zone. */
  readonly tz: string
  readonly platform?: Platform
}
