import { spawnSync } from 'node:child_process'

export interface Told {
  readonly code: number | null
  readonly output: string
}

/** Runs a tool of the system to its end. */
export function tell(program: string, ...args: readonly string[]): Told {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

/** Whether the tools are there. Says so once if not; with TESTS_MUST_NOT_SKIP=1 that is a failure. */
export function toolsAvailable(what: string, ...tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined)
  if (missing.length === 0) return true
  const message = `Without ${missing.join(' and ')}, ${what}`
  if (process.env.TESTS_MUST_NOT_SKIP === '1') throw new Error(`${message} cannot be tested`)
  console.log(`${message} is not tested`)
  return false
}
