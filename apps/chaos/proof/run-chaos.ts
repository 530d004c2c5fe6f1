import { fileURLToPath } from 'node:url'
import { spawnNode } from '@tokenkeeper/testkit'
import type { Verdict } from '../src/verdict/verdict.ts'

const CHAOS = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Runs `pnpm chaos --json` and shows what it says. */
export async function runChaos(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly verdict: Verdict }> {
  const { MONGODB_URI } = process.env
  await using chaos = spawnNode(CHAOS, { args: ['--json', ...args], env: MONGODB_URI ? { MONGODB_URI } : {} })
  const { code } = await chaos.exited
  console.log(chaos.lines.join('\n'))
  const last = chaos.stdoutLines.at(-1)
  if (last === undefined) throw new Error('chaos came to no verdict')
  return { code, verdict: JSON.parse(last) }
}
