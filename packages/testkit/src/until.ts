import { setTimeout as delay } from 'node:timers/promises'

export interface UntilOptions {
  /** Names what is awaited, for the error: 'the worker to be ready'. */
  readonly what: string
  readonly timeoutMs?: number
  readonly everyMs?: number
}

/**
 * Polls until the condition gives a truthy value, and returns it. A condition that throws has not come true yet.
 * @throws Error naming `what` after timeoutMs (default 60 s: slow is not wrong), the condition's last error as its cause.
 */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions): Promise<NonNullable<T>> {
  const { what, timeoutMs = 60_000, everyMs = 20 } = options
  const deadline = performance.now() + timeoutMs
  while (true) {
    let cause: unknown
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause })
    await delay(everyMs)
  }
}
