import { loadConfig } from '@tokenkeeper/config'
import { type AppContext, createContext } from '@tokenkeeper/context'
import { openClockFile } from '@tokenkeeper/testkit'
import { openJournal } from '../journal/journal.ts'
import { journaledStore } from '../journal/journaled-store.ts'
import { type Defect, plantDefect } from './defects.ts'
import type { Order } from './orders.ts'
import { createTrapSetter } from './trap.ts'

/**
 * The context of production, but for what production has no switch for: the movable clock (CLOCK_FILE), a journal of
 * the writes (JOURNAL), traps at the kill points (one set from the start: TRAP), and, where the checker itself is checked, a defect (DEFECT).
 */
export async function openWatchedContext(): Promise<AppContext> {
  const { CLOCK_FILE = '', JOURNAL = '', TRAP = 'null', DEFECT, ...env } = process.env
  const note = openJournal(JOURNAL)
  const traps = createTrapSetter(note)
  traps.set(JSON.parse(TRAP))
  process.on('message', (order: Order) => {
    if (order.kind === 'trap') traps.set(order.trap)
  })
  return createContext(loadConfig(env), {
    clock: openClockFile(CLOCK_FILE),
    hook: traps.hook,
    store: (store) => plantDefect(journaledStore(store, note), DEFECT as Defect | undefined),
  })
}
