import { randomInt } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { BatchResult } from './batch.ts'
import { MUTATIONS } from './mutations/mutations.ts'
import { runSchedule } from './simulate.ts'
import { runSchedules } from './threads/pool.ts'

interface Options {
  readonly runs: number
  readonly seed: number
  readonly replay?: number
  readonly without?: string
  readonly json: boolean
}

const PROGRESS_EVERY = 50_000

const options = new Command('simulate')
  .description(
    'Runs the real engine through schedules of faults in virtual time and checks I1 to I6 of docs/protocol.md.',
  )
  .option('--runs <n>', 'how many schedules', wholeNumber, 1_000)
  .option('--seed <s>', 'the seed of the first one; the next one has the next', wholeNumber, randomInt(2 ** 31))
  .option('--replay <seed>', 'run one schedule and print its trace', wholeNumber)
  .addOption(
    new Option('--without <rule>', 'switch a rule off, to see that it is missed').choices(
      MUTATIONS.map(({ name }) => name),
    ),
  )
  .option('--json', 'end with a line for programs', false)
  .parse()
  .opts<Options>()

process.exitCode = (await (options.replay === undefined ? run(options) : replay(options, options.replay))) ? 0 : 1

/** True if nothing was broken. */
async function run({ runs, seed, without, json }: Options): Promise<boolean> {
  console.log(`seed ${seed}`)
  const batch = { seed, runs, ...(without !== undefined && { without }) }
  const result = await runSchedules(batch, (done) => {
    if (done % PROGRESS_EVERY === 0 && done < runs) console.error(`${done} of ${runs} schedules`)
  })
  const [first] = result.failures
  if (first) await replay({ seed, runs, json: false, ...(without !== undefined && { without }) }, first.seed)
  tell(result)
  if (json) console.log(JSON.stringify({ runs: result.runs, violations: result.failures.length, seed }))
  return first === undefined
}

async function replay({ without }: Options, seed: number): Promise<boolean> {
  const mutation = MUTATIONS.find(({ name }) => name === without) ?? null
  const { trace, violations } = await runSchedule(seed, { mutation, traced: true })
  for (const line of trace) console.log(line)
  for (const { invariant, what } of violations) console.log(`seed ${seed} breaks ${invariant}: ${what}`)
  return violations.length === 0
}

function tell({ runs, steps, faults, counts, failures }: BatchResult): void {
  const { refreshes, latePresentations, witnesses, recoveries, deadBeyondHold, lost } = counts
  console.log(`${runs} schedules, ${steps} steps, ${faults} faults, ${refreshes} refreshes`)
  console.log(`presented late: ${latePresentations}, as a witness: ${witnesses}, again within 20 s: ${recoveries}`)
  console.log(`lost where nothing could have saved them: ${lost}, called dead beyond the hold: ${deadBeyondHold}`)
  console.log(`violations: ${failures.length}`)
  for (const { seed, invariant, what } of failures.slice(0, 20))
    console.log(`  --replay ${seed}  ${invariant}: ${what}`)
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}
