import type { AppContext } from '@tokenkeeper/context'
import { existingKeyRing } from '../keys/key-ring.ts'
import { keyStatus } from '../keys/key-status.ts'
import { resealAll } from '../keys/reseal-all.ts'
import { keyForPrograms, showKeys } from '../keys/show-keys.ts'
import { openContext } from '../open-context.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { EXIT } from '../program/run.ts'
import { loadSettings } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'

const MOST_WALKS = 5

/** Shows what each key seals. 1 if a key that is in use is not in the ring. */
export async function showKeyStatus(_options: object, output: Output): Promise<number> {
  const config = loadSettings()
  await using store = await openExistingStore(config)
  const keys = await keyStatus(existingKeyRing(config), store, config)
  if (keys.length === 0) output.say('No keys yet: the first start makes one, or set TOKEN_ENCRYPTION_KEYS.')
  else showKeys(keys, output)
  if (store === null && keys.length > 0)
    output.say('No database was found: DATABASE_URL, or this directory, may be the wrong one.')
  output.result(keys.map(keyForPrograms))
  return keys.some(({ state }) => state === 'missing') ? EXIT.failed : EXIT.ok
}

/** Seals everything with the first key of the ring, while workers go on. Stopped, it goes on when it is called again. */
export async function rotateKeys(_options: object, output: Output): Promise<number> {
  const config = loadSettings()
  const signal = stopSignal()
  await using context = await openContext(config, output)
  // What a dead process left behind may be sealed by any key; it lands, and is sealed anew with the rest.
  await context.engine.replaySpools()
  const { resealed, failed, failures } = await sealAnew(context, output, signal)

  output.say(`Sealed ${resealed} accounts with ${context.sealer.currentKeyId}; ${failed} failed.`)
  for (const { accountId, code } of failures) output.say(`${accountId}: ${code}`)
  if (signal.aborted) output.say('It was stopped: `tokenkeeper keys rotate` goes on with the rest.')
  output.say()
  const keys = await keyStatus(existingKeyRing(config), context.store, config)
  showKeys(keys, output)
  output.result({ resealed, failed, failures, interrupted: signal.aborted, keys: keys.map(keyForPrograms) })
  if (signal.aborted) return EXIT.interrupted
  return failed > 0 ? EXIT.failed : EXIT.ok
}

/**
 * Walks until there was nothing to do: a refresh that began before its account was sealed anew may bring back, with its
 * commit, an earlier credential as it was.
 */
async function sealAnew({ store, engine, sealer }: AppContext, output: Output, signal: AbortSignal) {
  let sum = 0
  for (let walk = 1; ; walk++) {
    using progress = output.progress('Sealing', await store.accounts.count({}))
    const done = await resealAll({ store, engine, keyId: sealer.currentKeyId }, signal, progress.update)
    sum += done.resealed
    if (done.resealed === 0 || signal.aborted || walk === MOST_WALKS) return { ...done, resealed: sum }
  }
}
