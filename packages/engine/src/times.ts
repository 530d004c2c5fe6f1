import { DAY, HOUR, MINUTE, SECOND } from '@tokenkeeper/core'

/** All in ms. */
export interface ProtocolTimes {
  readonly leaseMs: number
  readonly renewMs: number
  readonly providerTimeoutMs: number
  /** How long a socket is still read after the time-out. */
  readonly lateAnswerMs: number
  /** A commit that is not acknowledged by then is spooled. */
  readonly ackMs: number
  /** How long a spooled commit is tried again before it is left to the replay. */
  readonly commitPatienceMs: number
  readonly holdMs: number
  /** The least time between the two witnesses of a dead session. */
  readonly witnessMs: number
  /** A recovery is not delayed beyond firstSentAt + grace - this. */
  readonly graceMarginMs: number
  readonly needsActionProbeMs: number
  readonly quarantineProbeMs: number
  /** The same, where an attempt is to be recovered. */
  readonly recoveryProbeMs: number
  readonly appPasswordEveryMs: number
}

export const DEFAULT_TIMES: ProtocolTimes = {
  leaseMs: 12 * SECOND,
  renewMs: 4 * SECOND,
  providerTimeoutMs: 30 * SECOND,
  lateAnswerMs: 2 * MINUTE,
  ackMs: 250,
  commitPatienceMs: 10 * SECOND,
  holdMs: DAY,
  witnessMs: 5 * MINUTE,
  graceMarginMs: 10 * MINUTE,
  needsActionProbeMs: DAY,
  quarantineProbeMs: HOUR,
  recoveryProbeMs: 5 * MINUTE,
  appPasswordEveryMs: DAY,
}
