import { SECOND } from '@tokenkeeper/core'
import { Presets, SingleBar } from 'cli-progress'

export interface Progress extends Disposable {
  /** So much is done now; a total that was learnt later may be told too. */
  update(done: number, total?: number): void
}

/** What is over sooner needs no bar. */
const SHOWN_AFTER_MS = SECOND

/** A bar on stderr, where that is a terminal; nothing elsewhere. Disposing takes it away. */
export function createProgress(label: string, total?: number): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, [Symbol.dispose]: () => {} }
  const size = total === undefined ? '{value}' : '{bar} {percentage} % | {value} of {total} | {eta_formatted} left'
  const options = { format: `${label} ${size}`, stream: process.stderr, clearOnComplete: true, hideCursor: true }
  const bar = new SingleBar(options, Presets.shades_classic)
  let latest: [number, number | undefined] = [0, total]
  const timer = setTimeout(() => bar.start(latest[1] ?? 0, latest[0]), SHOWN_AFTER_MS)
  return {
    update(done, newTotal = latest[1]) {
      latest = [done, newTotal]
      if (!bar.isActive) return
      if (newTotal !== undefined) bar.setTotal(newTotal)
      bar.update(done)
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      if (bar.isActive) bar.stop()
    },
  }
}
