import Table from 'cli-table3'

type Cell = string | number

const PLAIN = { 'top-mid': '', mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '', 'bottom-mid': '' }
const NO_FRAME = { top: '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-left': '', 'bottom-right': '' }

/** Columns without a frame, numbers to the right; no colours, so that it can be piped. */
export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = new Table({
    head: [...head],
    chars: { ...PLAIN, ...NO_FRAME, left: '', right: '', middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (typeof rows[0]?.[column] === 'number' ? 'right' : 'left')),
  })
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
