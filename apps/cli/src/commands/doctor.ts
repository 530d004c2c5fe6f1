import { systemClock } from '@tokenkeeper/core'
import { examine } from '../doctor/examine.ts'
import type { Finding } from '../doctor/finding.ts'
import { loggersFor } from '../open-context.ts'
import type { Output, Style } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'

const STYLES: Readonly<Record<Finding['status'], Style>> = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  skipped: 'dim',
}

/** Looks at everything that Tokenkeeper stands on. 1 if anything failed. */
export async function doctor({ sandbox }: { readonly sandbox?: boolean }, output: Output): Promise<number> {
  const config = loadSettings(sandbox)
  using _progress = output.progress('Looking')
  const report = await examine(config, { clock: systemClock, loggers: loggersFor(config, { ...output, logTo: 2 }) })
  const findings = report.flatMap(({ check, findings: found }) => found.map((finding) => ({ check, ...finding })))
  const hasFailed = findings.some(({ status }) => status === 'failed')
  output.result({ ok: !hasFailed, findings })
  if (!output.json) {
    const rows = findings.map(({ check, status, says, mend }) => [
      check,
      output.paint(STYLES[status], status),
      mend === null ? says : `${says} → ${mend}`,
    ])
    output.say(renderTable(['check', 'is', ''], rows))
  }
  return hasFailed ? 1 : 0
}
