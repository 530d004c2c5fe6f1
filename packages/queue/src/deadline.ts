import { type Clock, CodedError, within } from '@tokenkeeper/core'

/**
 * BullMQ waits without end for a Redis that was never reachable, whatever ioredis is told: callers wait no longer.
 * A command that is given up may still be carried out later; every one of ours may be repeated.
 */
const DEADLINE_MS = 2_000

/** Rejects with REDIS_UNAVAILABLE if Redis cannot do the work, or has not done it within 2 s, or the given ms. */
export async function withinDeadline<T>(clock: Clock, work: () => Promise<T>, ms = DEADLINE_MS): Promise<T> {
  try {
    return await within(clock, ms, work(), () => {
      throw new CodedError('REDIS_UNAVAILABLE', { internal: `no answer within ${ms} ms` })
    })
  } catch (error) {
    throw isRedisTrouble(error) ? new CodedError('REDIS_UNAVAILABLE', { cause: error }) : error
  }
}

/** Replies by which a server says that it is in no state to serve. */
const NOT_NOW =
  /^(?:BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOAUTH|NOPERM|NOREPLICAS|OOM|READONLY|TRYAGAIN|WRONGPASS)/
/** ioredis's own errors have no codes. */
const NO_CONNECTION =
  /connection is closed|timed? ?out|isn't writeable|max retries per request|command aborted|failed to refresh slots/i

/** Is it the connection's or the server's fault? What BullMQ throws of itself is a mistake of ours, and stays what it is. */
function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof CodedError) return false
  const { code } = error as NodeJS.ErrnoException
  return (
    (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) ||
    NOT_NOW.test(error.message) ||
    NO_CONNECTION.test(error.message)
  )
}
