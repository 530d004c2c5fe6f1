import { type ErrorCode, hasCode } from '@tokenkeeper/core'
import { type Command, InvalidArgumentError } from 'commander'
import { createOutput, type Output, reportError } from '../output.ts'

/** Exit codes: docs/cli.md tells users what each means. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** What a command does; resolves to its exit code. */
export type Action<Options> = (options: Options, output: Output) => Promise<number>

/** Makes an action for commander. Commands are loaded when they are called, so that help comes at once. */
export type Run = <Options>(load: () => Promise<Action<Options>>) => (...args: unknown[]) => Promise<void>

export function createRun(exit: (code: number) => void): Run {
  return (load) =>
    async (...args) => {
      const command = args.at(-1) as Command
      const options = { ...command.optsWithGlobals(), ...namedArguments(command) } as Parameters<
        Awaited<ReturnType<typeof load>>
      >[0] & { json?: boolean }
      const output = createOutput({ json: options.json === true, showLog: command.name() === 'start' })
      try {
        exit(await (await load())(options, output))
      } catch (error) {
        reportError(error, output)
        const { logFailure } = await import('../log-failure.ts')
        logFailure(error)
        exit(isCalledWrongly(error) ? EXIT.usage : EXIT.failed)
      }
    }
}

const WRONG_CALLS: readonly ErrorCode[] = [
  'CONFIG_INVALID',
  'INPUT_MISSING',
  'INVALID_REQUEST',
  'KEY_RING_INVALID',
  'STORE_URL_UNKNOWN',
]

function isCalledWrongly(error: unknown): boolean {
  return WRONG_CALLS.some((code) => hasCode(error, code))
}

/** Arguments under their own names, beside the options. */
function namedArguments(command: Command): Record<string, unknown> {
  return Object.fromEntries(
    command.registeredArguments.map((argument, index) => [argument.name(), command.processedArgs[index]]),
  )
}

/** What follows a command's help: how it is called, and what that does. */
export function examples(calls: Readonly<Record<string, string>>): string {
  const width = Math.max(...Object.keys(calls).map(({ length }) => length))
  const lines = Object.entries(calls).map(([call, does]) => `  $ ${call.padEnd(width)}  # ${does}`)
  return `\nExamples:\n${lines.join('\n')}`
}

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}
