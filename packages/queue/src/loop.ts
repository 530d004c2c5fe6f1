import type { Clock } from '@tokenkeeper/core'
import type { Logger } from '@tokenkeeper/telemetry'

export interface LoopOptions {
  readonly name: string
  /** Does one round; resolves to when the next one begins (ms after this one's end). */
  readonly round: () => Promise<number>
  /** When the next one begins after a round that failed (ms). */
  readonly afterErrorMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Does rounds, one after another, until the signal aborts. Never rejects. */
export async function loop({ name, round, afterErrorMs, clock, logger, signal }: LoopOptions): Promise<void> {
  while (!signal.aborted) {
    const wait = await round().catch((error: unknown) => {
      logger.warn({ loop: name, err: error }, 'a round failed; the next one comes')
      return afterErrorMs
    })
    await clock.sleep(wait, signal)
  }
}
