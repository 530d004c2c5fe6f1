import { connectAccount } from './connect-account.ts'
import type { EngineDeps } from './deps.ts'
import type { Engine } from './engine.ts'
import { endHalts, probeHalts } from './halt-probes.ts'
import { importAccounts } from './import-accounts.ts'
import { restoreFromJournal } from './journal/restore-journal.ts'
import { pauseAccount, resumeAccount } from './operate.ts'
import { fetchPages } from './pages/fetch-pages.ts'
import { removeOrphanPages } from './pages/orphans.ts'
import { refreshAccount } from './refresh-account.ts'
import { relayLeftovers } from './relay-leftovers.ts'
import { removeAccount } from './remove-account.ts'
import { replaySpools } from './replay.ts'
import { resealAccount } from './reseal-account.ts'

/** The engine over its dependencies. Disposing waits for refreshes at work, not for listings, then closes journal and spool. */
export function createEngine(deps: EngineDeps): Engine {
  const atWork = new Set<Promise<unknown>>()
  const track = <T>(work: Promise<T>): Promise<T> => {
    atWork.add(work)
    void work.finally(() => atWork.delete(work)).catch(() => {})
    return work
  }
  const settle = async () => {
    while (atWork.size > 0) await Promise.allSettled(atWork)
  }
  const hasty = { ...deps, inBackground: track }
  return {
    refreshAccount: (id, options) => refreshAccount(options.relayLater ? hasty : deps, id, options, track),
    fetchPages: (id) => fetchPages(deps, id),
    removeOrphanPages: (afterId) => removeOrphanPages(deps, afterId),
    connectAccount: (login, options) => connectAccount(deps, login, options),
    importAccounts: (imports, actor) => importAccounts(deps, imports, actor),
    removeAccount: (id, actor) => removeAccount(deps, id, actor),
    pauseAccount: (id, actor) => pauseAccount(deps, id, actor),
    resumeAccount: (id, actor) => resumeAccount(deps, id, actor),
    resealAccount: (id) => resealAccount(deps, id),
    relayAccount: (id) => relayLeftovers(deps, id),
    replaySpools: () => replaySpools(deps),
    restoreFromJournal: (dirs, onProgress) => restoreFromJournal(deps, dirs, onProgress),
    pruneJournal: () => deps.journal.prune(),
    probeHalts: () => probeHalts(deps),
    endHalts: (platform, appId, actor) => endHalts(deps, platform, appId, actor),
    settle,
    async [Symbol.asyncDispose]() {
      await settle()
      await deps.journal[Symbol.asyncDispose]()
      deps.spool[Symbol.dispose]()
    },
  }
}
