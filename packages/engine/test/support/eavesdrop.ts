import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Account, Credential, Hook } from '@tokenkeeper/core'
import { createSecretSearch, type Finding, tempDir } from '@tokenkeeper/testkit'
import { openCredential, type RefreshOutcome } from '../../src/index.ts'
import type { World } from './world.ts'

/** An actor of the world who logs everything, and a search in all that it leaves for the secrets that it handled. */
export function eavesdrop(
  world: Pick<World, 'newActor' | 'sealer' | 'read' | 'scene'>,
  options: { readonly keys?: string; readonly hook?: Hook } = {},
) {
  const lines: string[] = []
  const outcomes: RefreshOutcome[] = []
  const secrets = new Set<string>()
  const actor = world.newActor({
    ...options,
    log: { write: (line) => lines.push(line) },
    times: { ackMs: 50, commitPatienceMs: 100 },
  })

  const plant = (secret: string) => {
    // A token's first part is the same in all, and its parts may be told one by one.
    const parts = secret.startsWith('eyJ') ? secret.split('.').slice(1) : [secret]
    for (const part of parts) secrets.add(part)
  }
  const plantCredential = ({ accessToken, refreshToken }: Credential) => {
    plant(accessToken)
    if (refreshToken !== '') plant(refreshToken)
  }
  const open = (account: Account) => {
    const { sealer } = world.sealer.keyIds.includes(account.keyId) ? world : actor
    return openCredential(sealer, account.id, account.sealedCredential)
  }
  const plantStored = async (accountId: string) => plantCredential(open(await world.read(accountId)))

  return {
    lines,
    outcomes,
    plant,
    open,
    ...actor,
    /** Refreshes, and plants what was stored before and what is stored then. */
    async refresh(account: Account): Promise<RefreshOutcome> {
      await plantStored(account.id)
      const outcome = await actor.engine.refreshAccount(account.id, { type: 'scheduled', force: true })
      outcomes.push(outcome)
      await plantStored(account.id)
      return outcome
    },
    /** Wherever a secret shows: log lines, outcomes, and all files: the database with its write-ahead log, the spools. */
    async findings(): Promise<Finding[]> {
      const search = createSecretSearch([...secrets])
      await using copy = await tempDir()
      // By another process: reading a database's file in this one would give up its locks.
      execFileSync('cp', ['-r', world.scene.dir, join(copy.path, 'scene')])
      return [
        ...search.search(lines.join(''), 'log'),
        ...search.search(JSON.stringify(outcomes), 'outcomes'),
        ...(await search.searchDir(copy.path)),
      ]
    },
  }
}
