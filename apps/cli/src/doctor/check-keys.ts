import { hasCode } from '@tokenkeeper/core'
import { openCredential } from '@tokenkeeper/engine'
import { createSealer, type KeyRing, type Store } from '@tokenkeeper/store'
import { missingKeys } from '../keys/key-status.ts'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'

/** So many credentials are opened to see whether they can be. */
const SAMPLE = 50
/** As the keys are called that development makes for itself. */
const DEVELOPMENT = /^dev-[0-9a-f]{8}$/

interface Keys {
  /** null = there are none yet. */
  readonly ring: KeyRing | null
  readonly environment: string
}

export async function checkKeys({ ring, environment }: Keys, store: Store | null): Promise<Finding[]> {
  if (ring === null) {
    const accounts = (await store?.accounts.count({})) ?? 0
    if (accounts === 0) return [skipped('There are no keys yet: development makes one at its first start.')]
    return [
      failed(
        `There are ${accounts} accounts, and no key to open them.`,
        'Set TOKEN_ENCRYPTION_KEYS, or put the file `keys` back into DATA_DIR.',
      ),
    ]
  }
  const findings = [ringFinding(ring, environment)]
  if (store !== null) findings.push(...(await opened(ring, store)), await quarantined(store))
  return findings
}

function ringFinding({ keys, currentKeyId }: KeyRing, environment: string): Finding {
  const development = [...keys.keys()].filter((keyId) => DEVELOPMENT.test(keyId))
  if (environment === 'production' && development.length > 0) {
    return warning(
      `A key that development made is in use in production (${development.join(', ')}).`,
      'Put a key of your own in front of it, seal anew with `keys rotate`, then drop it.',
    )
  }
  return ok(`${keys.size === 1 ? 'The key' : `Of ${keys.size} keys`} ${currentKeyId} seals.`)
}

async function opened(ring: KeyRing, store: Store): Promise<Finding[]> {
  const missing = await missingKeys(store, [...ring.keys.keys()])
  const findings = missing.map((keyId) =>
    failed(
      `Something in the database is sealed by the key ${keyId}, which is not in the ring.`,
      'Put it back into TOKEN_ENCRYPTION_KEYS, behind the one that seals.',
    ),
  )
  const sealer = createSealer(ring)
  const accounts = await store.accounts.list({
    statusIn: ['active', 'paused', 'needs_action'],
    afterId: null,
    limit: SAMPLE,
  })
  const closed = accounts.filter(({ id, sealedCredential }) => {
    try {
      openCredential(sealer, id, sealedCredential)
      return false
    } catch (error) {
      if (hasCode(error, 'KEY_MISSING') || hasCode(error, 'SEALED_VALUE_CORRUPT')) return true
      throw error
    }
  })
  if (closed.length === 0) {
    return accounts.length === 0
      ? findings
      : [...findings, ok(`Of ${accounts.length} credentials that were tried, each opens.`)]
  }
  return [
    ...findings,
    failed(
      `Of ${accounts.length} credentials that were tried, ${closed.length} do not open, as that of ${closed[0]!.id}.`,
      'The keys are not those that sealed them: put the right ones into TOKEN_ENCRYPTION_KEYS.',
    ),
  ]
}

async function quarantined({ accounts }: Store): Promise<Finding> {
  const count = await accounts.count({ statusIn: ['quarantined'] })
  if (count === 0) return ok('No account is quarantined.')
  return failed(
    `${count} ${count === 1 ? 'account is' : 'accounts are'} quarantined: their credentials did not open.`,
    'With the right keys they heal within an hour; `keys status` shows which are missing.',
  )
}
