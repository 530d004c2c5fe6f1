import { rm } from 'node:fs/promises'
import type { Env } from '@tokenkeeper/config'
import { CodedError } from '@tokenkeeper/core'
import type { Pds } from '@tokenkeeper/testkit'
import { tryLock } from '../lock.ts'
import { sandboxDir, sandboxEnv } from './sandbox-env.ts'

export interface Sandbox extends AsyncDisposable {
  readonly pds: Pds
  /** Its whole configuration. */
  readonly env: Env
}

/**
 * An empty data directory and a real PDS with its directory of identities, on loopback, for this process alone.
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
  const pds = stack.use(await startPds())
  const owned = stack.move()
  return { pds, env: sandboxEnv(variables, dataDir, pds), [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function startPds(): Promise<Pds> {
  try {
    // Loaded here alone: nothing of it is part of the real thing.
    const testkit = await import('@tokenkeeper/testkit')
    return await testkit.startPds()
  } catch (error) {
    throw new CodedError('SANDBOX_FAILED', {
      publicMessage: 'The sandbox could not be started: its Bluesky host (PDS) does not come up on this machine.',
      internal: error instanceof Error ? error.message : String(error),
      cause: error,
    })
  }
}
