import type { JournalCounts } from '@tokenkeeper/engine'
import type { Output } from '../output.ts'
import type { Filled } from './fill-stage.ts'

/** What was done, and what is left for a person to do. */
export function showRestored(file: string, filled: Filled, movedAside: string | null, output: Output): void {
  const { say, paint } = output
  const { accounts, spooled, stillSpooled, journal, missingKeys } = filled
  say(`\nRestored ${file}: ${accounts} accounts.`)
  if (movedAside !== null) say(`What stood there is now ${movedAside}.`)
  say(`Spools: ${spooled} answers brought in.`)
  if (journal) say(describeJournal(journal))
  const trouble = [
    ...(stillSpooled > 0 ? [`${stillSpooled} answers are still in the spool: a worker tries them again.`] : []),
    ...(journal ? troubleOf(journal) : []),
    ...(missingKeys.length > 0
      ? [`These keys are in use and not in the ring: ${missingKeys.join(', ')}. Put them into TOKEN_ENCRYPTION_KEYS.`]
      : []),
  ]
  for (const line of trouble) say(paint('yellow', line))
  say(trouble.length === 0 ? 'Start Tokenkeeper again.' : 'See to that before you start Tokenkeeper again.')
}

function describeJournal({ files, records, refreshed, connected, removed }: JournalCounts): string {
  return `Journal: ${records} records in ${files} files; ${refreshed} newer credentials, ${connected} accounts or newer logins, ${removed} removals brought in.`
}

function troubleOf({ unreadable, unopened, unknown, taken }: JournalCounts): string[] {
  return [
    ...(unreadable > 0 ? [`${unreadable} lines of the journal are damaged, or of a newer version.`] : []),
    ...(unopened > 0
      ? [`${unopened} newer credentials do not open: with their keys in TOKEN_ENCRYPTION_KEYS, restore again.`]
      : []),
    ...(unknown > 0
      ? [
          `${unknown} newer credentials belong to logins that nothing here knows: add the journals of the other machines.`,
        ]
      : []),
    ...(taken > 0 ? [`${taken} accounts were left out: another account has their login.`] : []),
  ]
}
