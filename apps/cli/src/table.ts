import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'

type Cell = string | number

const PLAIN = { 'top-mid': '', mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '', 'bottom-mid': '' }
const NO_FRAME = { top: '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-left': '', 'bottom-right': '' }
const BETWEEN = '  '
/** No column becomes narrower than this to fit the terminal; ids stay whole, so that they can be copied. */
const LEAST_WIDTH = 10
const ID = /^[0-9a-f]{24}$/

/**
 * Columns without a frame, numbers to the right. On a terminal (`columns`: its width) the widest ones are wrapped so that
 * it fits; elsewhere every row is one line, for pipes.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number | undefined = process.stdout.isTTY ? process.stdout.columns : undefined,
): string {
  const widths = columns === undefined ? null : fittingWidths([head, ...rows], columns)
  const table = new Table({
    head: [...head],
    chars: { ...PLAIN, ...NO_FRAME, left: '', right: '', middle: BETWEEN },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === 'number' ? 'right' : 'left')),
    ...(widths && { colWidths: widths, wordWrap: true }),
  })
  for (const row of rows) table.push(row.map((cell, column) => breakWords(cell, widths?.[column])))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Takes from the widest column until all fit, or none has anything left to give. */
function fittingWidths(rows: readonly (readonly Cell[])[], columns: number): number[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  const least = widths.map((width, column) => {
    return rows.some((row) => ID.test(String(row[column]))) ? width : Math.min(width, LEAST_WIDTH)
  })
  const available = columns - BETWEEN.length * (widths.length - 1)
  for (let over = sum(widths) - available; over > 0; over--) {
    const spare = widths.map((width, column) => (width > least[column]! ? width : 0))
    const widest = spare.indexOf(Math.max(...spare))
    if (spare[widest] === 0) break
    widths[widest]!--
  }
  return widths
}

/** The table cuts a word that is longer than its column; nothing is to be lost. */
function breakWords(cell: Cell, width: number | undefined): Cell {
  if (width === undefined || typeof cell === 'number' || widthOf(cell) !== cell.length) return cell
  return cell.replaceAll(RegExp(`\\S{${width}}(?=\\S)`, 'g'), '$&\n')
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

const widthOf = (cell: Cell) => stripVTControlCharacters(String(cell)).length
