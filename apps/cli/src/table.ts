import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'

type Cell = string | number

const PLAIN = { 'top-mid': '', mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '', 'bottom-mid': '' }
const NO_FRAME = { top: '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-left': '', 'bottom-right': '' }
const BETWEEN = '  '
/** No column becomes narrower than this to fit the terminal; ids stay whole, so that they can be copied. */
const LEAST_WIDTH = 24

/**
 * Columns without a frame, numbers to the right. On a terminal (`columns`: its width) the widest ones are wrapped so that
 * it fits; elsewhere every row is one line, for pipes.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number | undefined = process.stdout.isTTY ? process.stdout.columns : undefined,
): string {
  const table = new Table({
    head: [...head],
    chars: { ...PLAIN, ...NO_FRAME, left: '', right: '', middle: BETWEEN },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === 'number' ? 'right' : 'left')),
    ...(columns !== undefined && { colWidths: fittingWidths([head, ...rows], columns), wordWrap: true }),
  })
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Takes from the widest column until all fit, or none has anything left to give. */
function fittingWidths(rows: readonly (readonly Cell[])[], columns: number): number[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  const available = columns - BETWEEN.length * (widths.length - 1)
  for (let over = sum(widths) - available; over > 0; over = sum(widths) - available) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= LEAST_WIDTH) break
    widths[widest] = Math.max(LEAST_WIDTH, widths[widest]! - over)
  }
  return widths
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

const widthOf = (cell: Cell) => stripVTControlCharacters(String(cell)).length
