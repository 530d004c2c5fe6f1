import { CodedError, SECOND, toCodedError } from '@tokenkeeper/core'
import { countWorkers, type ProducerDeps } from '@tokenkeeper/queue'

const LOOK_EVERY_MS = 4 * SECOND
/** Workers that are just being replaced are back by then. */
const LOOKS = 3

type WatchDeps = Pick<ProducerDeps, 'queues' | 'clock'>

/** Rejects with NO_WORKERS where nobody would do the work, or with REDIS_UNAVAILABLE. */
export async function assertWorkers({ queues, clock }: WatchDeps): Promise<void> {
  if ((await countWorkers(queues, clock)) > 0) return
  throw new CodedError('NO_WORKERS', {
    publicMessage:
      'No worker is running that would refresh anything. Start one (`tokenkeeper serve`), or do it in this process ' +
      '(`tokenkeeper refresh --standalone`). Nothing was enqueued.',
  })
}

/**
 * Resolves when the signal comes. Rejects when for some 12 s no worker has been there, or no Redis, with what then becomes
 * of what was enqueued.
 */
export async function watchWorkers({ queues, clock }: WatchDeps, signal: AbortSignal): Promise<void> {
  for (let missed = 0; ; ) {
    await clock.sleep(LOOK_EVERY_MS, signal)
    if (signal.aborted) return
    const trouble = await countWorkers(queues, clock).then(
      (count) => (count > 0 ? null : noneLeft()),
      (error: unknown) => stillAway(error),
    )
    missed = trouble === null ? 0 : missed + 1
    if (trouble !== null && missed === LOOKS) throw trouble
  }
}

const GOES_ON = 'What was enqueued stands, and goes on as soon as'

function noneLeft(): CodedError {
  const publicMessage = `The workers have gone. ${GOES_ON} one is there: start it (\`tokenkeeper serve\`).`
  return new CodedError('NO_WORKERS', { publicMessage })
}

function stillAway(error: unknown): CodedError {
  const { code, message } = toCodedError(error)
  return new CodedError(code, {
    cause: error,
    publicMessage: `${message} ${GOES_ON} Redis is back and a worker there.`,
  })
}
