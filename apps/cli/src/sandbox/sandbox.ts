import { rm } from 'node:fs/promises'
import type { Env } from '@tokenkeeper/config'
import { CodedError } from '@tokenkeeper/core'
import type { Pds } from '@tokenkeeper/testkit'
import { tryLock } from '../lock.ts'
import { type SandboxGraph, startGraph } from './graph.ts'
import { sandboxDir, sandboxEnv } from './sandbox-env.ts'

export interface Hosts extends AsyncDisposable {
  readonly pds: Pds
  readonly graph: SandboxGraph
}

export interface Sandbox extends Hosts {
  /** Its whole configuration. */
  readonly env: Env
}

/**
 * An empty data directory, a real PDS with its directory of identities, and the hosts of Meta as an emulator, on
 * loopback, for this process alone.
 * Rejects with SANDBOX_FAILED.
 */
export async function openSandbox(variables: Env, dataDir: string): Promise<Sandbox> {
  const dir = sandboxDir(dataDir)
  await using stack = new AsyncDisposableStack()
  const lock = tryLock(`${dir}.lock`)
  if (lock === null) {
    throw new CodedError('SANDBOX_FAILED', {
      publicMessage: `Another sandbox runs in ${dir}. Stop it first, or give this one a DATA_DIR of its own.`,
    })
  }
  stack.use(lock)
  await rm(dir, { recursive: true, force: true })
  const { pds, graph } = stack.use(await startHosts())
  const env = sandboxEnv(variables, dataDir, { pds, graph })
  const owned = stack.move()
  return { pds, graph, env, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** The hosts of all platforms on loopback, for this process alone. Rejects with SANDBOX_FAILED. */
export async function startHosts(): Promise<Hosts> {
  await using stack = new AsyncDisposableStack()
  const graph = stack.use(await orFail('emulator of Meta', startGraph()))
  const pds = stack.use(await orFail('Bluesky host (PDS)', startPds()))
  const owned = stack.move()
  return { pds, graph, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function startPds(): Promise<Pds> {
  // Loaded here alone: nothing of it is part of the real thing.
  const testkit = await import('@tokenkeeper/testkit')
  return testkit.startPds()
}

async function orFail<T>(what: string, started: Promise<T>): Promise<T> {
  try {
    return await started
  } catch (error) {
    throw new CodedError('SANDBOX_FAILED', {
      publicMessage: `The sandbox could not be started: its ${what} does not come up on this machine.`,
      internal: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
}
