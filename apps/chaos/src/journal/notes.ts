import type { AttemptOutcome } from '@tokenkeeper/core'

/** One line of a process's journal. `at` is the system's time, in ms: the movable clock is no witness. */
export type Note = WriteSent | WriteAcknowledged | AccountSeen | PointPassed | TrapFired

/** A write of an account that is about to be sent. */
export interface WriteSent {
  readonly kind: 'sent'
  readonly at: number
  /** Names the write within this journal. */
  readonly n: number
  readonly accountId: string
  /** The attempt that has to stand there for the write to match; undefined = not asked. */
  readonly standing: string | null | undefined
  readonly begins: { readonly id: string; readonly digest: string } | undefined
  readonly ends: { readonly id: string; readonly outcome: AttemptOutcome } | undefined
  /** A credential that takes the place of the stored one. */
  readonly stores: { readonly sealed: string } | undefined
}

export interface WriteAcknowledged {
  readonly kind: 'acknowledged'
  readonly at: number
  readonly n: number
  /** False: not known to have matched. */
  readonly applied: boolean
}

/** What a read found. */
export interface AccountSeen {
  readonly kind: 'seen'
  readonly at: number
  readonly accountId: string
  readonly attemptId: string | null
  readonly last: { readonly id: string; readonly outcome: AttemptOutcome } | null
  readonly sealedEnd: string
}

/** A moment of the protocol that is counted. */
export interface PointPassed {
  readonly kind: 'passed'
  readonly at: number
  readonly point: string
  readonly accountId: string
}

/** The process is about to kill or stop itself at a point, with so many attempts waiting there. */
export interface TrapFired {
  readonly kind: 'fired'
  readonly at: number
  readonly point: string
  readonly gathered: number
}

/** The end of a sealed value, which holds the tag of its encryption: no two have the same. */
export function endOf(sealed: string): string {
  return sealed.slice(-20)
}
