import { randomInt } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { FAULT_NAMES } from './faults/deck.ts'
import { DEFECTS, type Defect } from './processes/defects.ts'

export interface Options {
  readonly store: 'sqlite' | 'mongo'
  /** The run ends when so many attempts were interrupted. */
  readonly interruptions: number
  /** And at the latest after so many rounds. */
  readonly rounds: number
  readonly seed: number
  readonly accounts: number
  readonly workers: number
  /** How many attempts of a worker are to be in flight when it is killed. */
  readonly inFlight: number
  readonly json: boolean
  readonly naive: boolean
  /** Level of what the processes log. */
  readonly log: string
  readonly defect?: Defect
  /** Only faults of these names. */
  readonly only?: readonly string[]
}

export function parseOptions(args: readonly string[]): Options {
  const whole = (text: string) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.')
    return value
  }
  const seed = randomInt(2 ** 32 - 1)
  const command = new Command('chaos')
    .description('Kills and cuts off a real fleet at work, and counts what is lost: docs/chaos.md.')
    .addOption(new Option('--store <store>', 'where the accounts are').choices(['sqlite', 'mongo']).default('sqlite'))
    .option('--interruptions <n>', 'attempts to interrupt', whole, 1_000)
    .option('--rounds <n>', 'rounds of faults at most', whole, Number.MAX_SAFE_INTEGER)
    .option('--seed <n>', 'what mixes the faults; default: a random one, printed', whole, seed)
    .option('--accounts <n>', 'accounts that are refreshed', whole, 500)
    .option('--workers <n>', 'worker processes', whole, 3)
    .option('--in-flight <n>', 'attempts that a worker has in flight when it is killed', whole, 50)
    .option('--only <faults>', 'only these faults, separated by commas', faultNames)
    .option('--log <level>', 'what the processes log', 'fatal')
    .option('--naive', 'runs the way apps do it today instead, under the same faults', false)
    .option('--json', 'ends with one line of JSON', false)
    .addOption(new Option('--defect <name>', 'plants a fault in the product, to check the checker').choices(DEFECTS))
  return command.parse(args, { from: 'user' }).opts<Options>()
}

function faultNames(list: string): string[] {
  const names = list.split(',')
  const unknown = names.find((name) => !FAULT_NAMES.includes(name))
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no "${unknown}": ${FAULT_NAMES.join(', ')}.`)
  return names
}
