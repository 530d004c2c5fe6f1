import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import getPort from 'get-port'

/**
 * A port that is free on loopback now. Taken from below the range of outgoing connections, so that none of those takes
 * it while a server is stopped. Another process may still be faster: use it within `retryTakenPort`.
 */
export function freePort(): Promise<number> {
  return getPort({ host: '127.0.0.1', port: Array.from({ length: 50 }, () => randomInt(20_000, 32_000)) })
}

/**
 * Launches a server again while it says that its port is taken: another process was faster, or an earlier run's
 * connections are not gone yet. Any other failure is thrown at once.
 */
export async function retryTakenPort<T>(launch: () => Promise<T | 'port-taken'>): Promise<T> {
  const deadline = performance.now() + 5_000
  do {
    const launched = await launch()
    if (launched !== 'port-taken') return launched
    await delay(100)
  } while (performance.now() < deadline)
  throw new Error('The port stays taken')
}
