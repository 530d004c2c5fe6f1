import { freePort, retryTakenPort } from '../ports.ts'
import { tempDirInMemory } from '../temp-dir.ts'
import { launchPds, type RunningPds } from './launch.ts'
import { type PdsClient, pdsClient } from './pds-client.ts'

export interface StartPdsOptions {
  /** Path of a clock file: the PDS lives by that clock. */
  readonly clockFile?: string
  /** Default: a free one. */
  readonly port?: number
  /** Kept on dispose; start again on it, with the same port, and sessions and DIDs are still there. Default: a temporary one. */
  readonly dataDir?: string
  /** The PDS's own rate limits; default off. They follow the real clock. */
  readonly rateLimits?: boolean
  /** The DID document in session answers, as bsky.social does; default off. */
  readonly didDoc?: boolean
}

export interface Pds extends PdsClient, AsyncDisposable {
  /** http://localhost:PORT, just as its accounts' DID documents say. */
  readonly url: string
  readonly plcUrl: string
  readonly port: number
  readonly pid: number
  readonly dataDir: string
  /** Has the PLC directory say that the account lives at another PDS; its data stay. */
  moveDid(did: string, newPdsUrl: string): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves when the process is gone. */
  stop(): Promise<void>
  /** Starts again with the same data and ports. */
  start(): Promise<void>
}

/**
 * A real atproto PDS and an in-memory PLC directory in a child process, on loopback. The process ends with this one.
 * @throws Error with its last words if it does not come up, or if options.port is taken.
 */
export async function startPds(options: StartPdsOptions = {}): Promise<Pds> {
  const dir = options.dataDir === undefined ? await tempDirInMemory() : undefined
  const settings = {
    dataDir: options.dataDir ?? dir!.path,
    temporary: dir !== undefined,
    ...(options.clockFile === undefined ? {} : { clockFile: options.clockFile }),
    rateLimits: options.rateLimits ?? false,
    didDoc: options.didDoc ?? false,
  }
  const removeDir = () => dir?.[Symbol.asyncDispose]()

  let ports = { port: 0, plcPort: 0 }
  const launch = () => launchPds({ ...settings, ...ports })
  let running: RunningPds
  try {
    running = await retryTakenPort(async () => {
      ports = { port: options.port ?? (await freePort()), plcPort: await freePort() }
      return launch()
    })
  } catch (error) {
    await removeDir()
    throw error
  }
  const { port, plcPort } = ports
  const url = `http://localhost:${port}`

  return {
    ...pdsClient(url, () => running.adminPassword),
    url,
    plcUrl: `http://localhost:${plcPort}`,
    port,
    dataDir: settings.dataDir,
    get pid() {
      return running.pid
    },
    moveDid: (did, endpoint) => running.move(did, endpoint),
    kill: () => running.end('SIGKILL'),
    stop: () => running.end('SIGTERM'),
    async start() {
      if (running.isAlive()) return
      running = await retryTakenPort(launch)
    },
    async [Symbol.asyncDispose]() {
      await running.end('SIGKILL')
      await removeDir()
    },
  }
}
