import { fileURLToPath } from 'node:url'
import { spawnNode } from '../spawn-node.ts'

const ENTRY = fileURLToPath(new URL('host-process.ts', import.meta.url))

/** A provider for runs whose size no real PDS would bear on one machine: see host-process.ts. */
export interface InstantHost extends AsyncDisposable {
  readonly url: string
  /**
   * Resolves, once the host knows, to the promise of when the account's next request arrives (ms of the machine's
   * monotonic clock, as process.hrtime tells it).
   */
  watch(did: string): Promise<{ readonly arrival: Promise<number> }>
}

/** In a process of its own, so that it takes nothing from the caller's event loop. Answers after `latencyMs`. */
export async function startInstantHost(latencyMs = 0): Promise<InstantHost> {
  const host = spawnNode(ENTRY, { args: [String(latencyMs)], ipc: true })
  const [url] = await host.waitForLine(/^http.*/)
  const next = <T>(key: string, did: string, read: (message: Record<string, string>) => T) =>
    new Promise<T>((resolve) => {
      const take = (message: Record<string, string>) => {
        if (message[key] !== did) return
        host.child.off('message', take)
        resolve(read(message))
      }
      host.child.on('message', take)
    })
  return {
    url,
    async watch(did) {
      const arrival = next('arrived', did, ({ at }) => Number(BigInt(at ?? 0)) / 1e6)
      const known = next('watching', did, () => {})
      host.child.send(did)
      await known
      return { arrival }
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}
