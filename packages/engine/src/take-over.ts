import { type Attempt, GRACE_MS } from '@tokenkeeper/core'

/** No honest clock writes a lease that ends later than that: a session would not outlive it. */
const LONGEST_LEASE_MS = GRACE_MS

export type TakeOver = { readonly may: true; readonly early: boolean } | { readonly may: false }

/**
 * May the standing attempt be displaced now? Released and held: after notBefore. Live: when its lease is over, or at
 * once for a later run of the same job, whose earlier run BullMQ has found dead; but not twice in a row.
 */
export function takeOver(
  standing: Attempt,
  now: number,
  job?: { readonly id: string; readonly run: number },
): TakeOver {
  if (standing.state !== 'live') {
    return now >= standing.notBefore ? { may: true, early: false } : { may: false }
  }
  const lapsed = now >= standing.leaseUntil || standing.leaseUntil - now > LONGEST_LEASE_MS
  if (lapsed) return { may: true, early: false }
  const rerun = job !== undefined && job.id === standing.jobId && job.run > standing.jobRun
  return rerun && !standing.tookOverEarly ? { may: true, early: true } : { may: false }
}
