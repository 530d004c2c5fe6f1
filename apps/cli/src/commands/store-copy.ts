import { SECOND, systemClock } from '@tokenkeeper/core'
import { COPIED_KINDS, type CopiedKind, type CopyCounts, copyStore, openStore } from '@tokenkeeper/store'
import type { Output } from '../output.ts'
import { renderTable } from '../table.ts'

interface Options {
  readonly from: string
  readonly to: string
}

const NAMES: Record<CopiedKind, string> = {
  accounts: 'accounts',
  pages: 'Pages',
  halts: 'halts',
  log: 'log entries',
  events: 'events',
  audit: 'audit entries',
  runs: 'runs',
  schedules: 'schedules',
  apiKeys: 'API keys',
}

const REASONS = {
  newer: 'newer in the target, left as it is',
  different: 'not the same in the target, left as it is',
  only_in_target: 'only in the target',
  changed: 'changed in the source while it was copied: stop all that use it, and copy again',
}

/** Copies a store, verified; done again it continues. 0 only if source and target hold the same. */
export async function storeCopy({ from, to }: Options, output: Output): Promise<number> {
  await using source = await openStore(from, { mustExist: true })
  await using target = await openStore(to)
  const start = systemClock.monotonic()
  const { kinds, differences } = await copyStore(source, target, { onBatch: reportProgress(output) })
  const isSame = COPIED_KINDS.every((kind) => kinds[kind].different === 0)

  output.say(`\n${countTable(kinds)}\n`)
  for (const { kind, id, reason } of differences) output.say(`${kind} ${id}: ${REASONS[reason]}`)
  output.say(isSame ? 'The target holds the same as the source.' : 'The target does not hold the same as the source.')
  output.result({ same: isSame, kinds, differences, durationMs: Math.round(systemClock.monotonic() - start) })
  return isSame ? 0 : 1
}

/** A line for each kind at its first batch, and one a second. */
function reportProgress(output: Output): (kind: CopiedKind, counts: CopyCounts) => void {
  let last: { readonly kind: CopiedKind; readonly at: number } | null = null
  return (kind, { read }) => {
    const at = systemClock.monotonic()
    if (last?.kind === kind && at - last.at < SECOND) return
    last = { kind, at }
    output.say(`${NAMES[kind]}: ${read} …`)
  }
}

function countTable(kinds: Readonly<Record<CopiedKind, CopyCounts>>): string {
  const rows = COPIED_KINDS.map((kind) => {
    const { read, same, copied, different } = kinds[kind]
    return [NAMES[kind], read, same, copied, different]
  })
  return renderTable(['', 'read', 'same before', 'copied', 'different'], rows)
}
