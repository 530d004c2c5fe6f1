import { availableParallelism, totalmem } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { measure, PART_NAMES, type PartName } from './benchmark.ts'
import { FULL, TINY } from './sizes.ts'
import { renderReport } from './table.ts'

function partNames(list: string): PartName[] {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !PART_NAMES.includes(name as PartName))
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no part "${unknown}": ${PART_NAMES.join(', ')}.`)
  return names as PartName[]
}

const program = new Command('bench')
  .description('Measures Tokenkeeper beside what this machine can do at all; docs/benchmarks.md explains each figure.')
  .option('--only <parts>', `some parts alone: ${PART_NAMES.join(',')}`, partNames, PART_NAMES)
  .option('--tiny', 'tiny sizes: shows that everything runs, its figures mean nothing')
  .option('--json', 'print nothing but the figures, as one JSON object, on stdout')
  .parse()

const { only, tiny, json } = program.opts<{ only: PartName[]; tiny?: true; json?: true }>()
const say = (line: string) => void process.stderr.write(`${line}\n`)

const memory = Math.round(totalmem() / 2 ** 30)
say(
  `${availableParallelism()} cores, ${memory} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
)
const report = await measure(only, tiny ? TINY : FULL, say)
if (!json) console.log(`${renderReport(report)}\n`)
console.log(JSON.stringify(report))
