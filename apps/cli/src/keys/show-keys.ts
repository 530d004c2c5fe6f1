import type { Output } from '../output.ts'
import { renderTable } from '../table.ts'
import { isoTime } from '../times.ts'
import type { KeyStatus } from './key-status.ts'

/** A table of all keys, and a line for each about which somebody may want to do something. */
export function showKeys(keys: readonly KeyStatus[], { say, paint }: Output): void {
  const rows = keys.map((key) => [
    key.keyId,
    key.state,
    key.current,
    key.previous + key.former,
    key.appPasswords,
    key.pages,
    key.spooled,
    key.journaled,
  ])
  say(renderTable(['key', '', 'accounts', 'earlier ones', 'app passwords', 'Pages', 'spool', 'journal'], rows))
  say()
  for (const key of keys) {
    if (key.state === 'missing') say(paint('red', `${key.keyId} is in use and not in the ring: ${WHAT_TO_DO}`))
    else if (key.mayBeDropped) say(`${key.keyId} may be dropped: nothing uses it, as far as this machine can see.`)
    else if (key.state === 'opens') say(`${key.keyId} must stay in the ring: ${whyNot(key)}`)
  }
}

const WHAT_TO_DO = 'what it seals does not open. Put it back into TOKEN_ENCRYPTION_KEYS, behind the first one.'

function whyNot(key: KeyStatus): string {
  const { current, previous, former, appPasswords, pages, spooled, journaledUntil } = key
  if (current + previous + former + appPasswords + pages > 0) {
    return 'the database uses it. `tokenkeeper keys rotate` seals all of that with the first key.'
  }
  if (spooled > 0)
    return 'answers in the spool use it, which a worker replays within a minute of the store being there.'
  if (journaledUntil === null) return 'no database was found that could tell whether it is in use.'
  return `the journal uses it until ${isoTime(journaledUntil)?.slice(0, 10)}.`
}

/** What programs see of a key; times in ISO 8601. */
export function keyForPrograms({ journaledUntil, ...key }: KeyStatus) {
  return { ...key, journaledUntil: isoTime(journaledUntil) }
}
