import { createNaiveArena } from './naive/arena.ts'
import { runNaive } from './naive/run.ts'
import { type Options, parseOptions } from './options.ts'
import { run } from './run.ts'
import { isClean } from './verdict/verdict.ts'
import { createWorld } from './world/world.ts'

/** As a shell tells of SIGINT. */
const INTERRUPTED = 130

const stopped = firstSignal()
const options = parseOptions(process.argv.slice(2))
const begun = performance.now()
const program = options.naive ? 'naive workers' : options.store
say(`seed ${options.seed}: ${options.interruptions} interruptions, ${options.accounts} accounts, ${program}`)
process.exit(options.naive ? await underNaive(options) : await underChaos(options))

/** Resolves at the first SIGINT or SIGTERM: what was begun is left, and all servers and processes end. */
function firstSignal(): Promise<'stopped'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => resolve('stopped'))
  })
}

async function underChaos(options: Options): Promise<number> {
  await using world = await createWorld(options)
  say('the fleet is at work')
  if (!world.spoolDisk) say('left out: a full or read-only spool (mounting a small disk takes root)')
  const verdict = await Promise.race([run(world, say), stopped])
  if (verdict === 'stopped') return INTERRUPTED
  print(verdict, options)
  return isClean(verdict) ? 0 : 1
}

async function underNaive(options: Options): Promise<number> {
  await using arena = await createNaiveArena(options)
  const verdict = await Promise.race([runNaive(arena, say), stopped])
  if (verdict === 'stopped') return INTERRUPTED
  print(verdict, options)
  return 0
}

function say(line: string): void {
  const seconds = Math.round((performance.now() - begun) / 1_000)
  process.stderr.write(`${String(seconds).padStart(5)} s  ${line}\n`)
}

function print(verdict: object, { json }: Options): void {
  process.stdout.write(`${JSON.stringify(verdict, null, json ? 0 : 2)}\n`)
}
