import type { Run } from '@tokenkeeper/store'
import type { LocalDeps } from '../deps.ts'
import { stateInRun } from './state-in-run.ts'

/** How many accounts a run is done with, those of the window that it works on included. Rejects as the store does. */
export async function runProgress(
  { store, clock }: Pick<LocalDeps, 'store' | 'clock'>,
  run: Pick<Run, 'filter' | 'totals' | 'window'>,
): Promise<number> {
  const seen = new Map(run.window?.map((account) => [account.id, account]))
  const now = clock.now()
  const settled = (await store.accounts.getMany([...seen.keys()])).filter((account) => {
    const state = stateInRun(run, account, seen.get(account.id)!, now)
    return state !== 'open' && state !== 'awaited'
  })
  return run.totals.total + settled.length
}
