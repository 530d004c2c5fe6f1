import { CodedError } from '@tokenkeeper/core'
import { scrub } from '@tokenkeeper/telemetry'

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/**
 * Runs an app until SIGINT or SIGTERM, then disposes what it put on the stack and ends the process with 0; a second
 * signal ends it at once (130, 143). A start that fails prints why and ends it with 1. Tells its parent `ready`.
 */
export async function runUntilSignal(start: (stack: AsyncDisposableStack) => Promise<void>): Promise<never> {
  const stack = new AsyncDisposableStack()
  const signalled = firstSignal()
  let code = 0
  try {
    await start(stack)
    process.send?.('ready')
    await signalled
  } catch (error) {
    printError(error)
    code = 1
  }
  try {
    await stack.disposeAsync()
  } catch (error) {
    printError(error)
    code = 1
  }
  // Late answers may still be read from sockets; nobody waits for those.
  return process.exit(code)
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (stopping) process.exit(code)
        stopping = true
        resolve()
      })
    }
  })
}

/** Public messages say how to mend; what is not ours is shown without its secrets. */
function printError(error: unknown): void {
  const text =
    error instanceof CodedError
      ? `${error.code}: ${error.message}`
      : error instanceof Error
        ? error.stack
        : String(error)
  process.stderr.write(`${scrub(text ?? 'unknown error')}\n`)
}
