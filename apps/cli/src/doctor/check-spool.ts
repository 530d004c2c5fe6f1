import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Clock, HOUR, hasCode, MINUTE } from '@tokenkeeper/core'
import { inspectJournal, inspectSpool, probeSpool } from '@tokenkeeper/engine'
import { relativeTime } from '../times.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** Workers replay what dead processes have left each minute. */
const REPLAYED_WITHIN_MS = 5 * MINUTE
/** A Bluesky host gives the same successor for two hours: what is older than half of that must not wait. */
const LATE_MS = HOUR

/** Whether an answer could be kept here if the store were away, and whether any is left; and the same of the journal. */
export async function checkSpool(dataDir: string, clock: Clock): Promise<Finding[]> {
  const dir = join(dataDir, 'spool')
  const journal = await inspectJournal(join(dataDir, 'journal'))
  const findings = [writable(dir, clock), ...leftOver(dir, clock.now())]
  if (!journal.writable) {
    findings.push(
      failed('The journal cannot be written.', `Give the user that runs Tokenkeeper ${join(dataDir, 'journal')}.`),
    )
  }
  return findings
}

function writable(dir: string, clock: Clock): Finding {
  const mend = `Give the user that runs Tokenkeeper the directory ${dir}, and free space on its disk.`
  try {
    if (existsSync(dir)) probeSpool(dir, clock)
    else if (!mayBeMade(dir)) return failed('The spool cannot be made: refreshes wait.', mend)
    return ok('The spool can be written.')
  } catch (error) {
    if (!hasCode(error, 'SPOOL_UNAVAILABLE')) throw error
    return failed('The spool cannot be written: refreshes wait, so that no answer can be lost.', mend)
  }
}

function mayBeMade(dir: string): boolean {
  let parent = dirname(resolve(dir))
  while (!existsSync(parent)) parent = dirname(parent)
  try {
    accessSync(parent, constants.W_OK | constants.X_OK)
    return statSync(parent).isDirectory()
  } catch {
    return false
  }
}

function leftOver(dir: string, now: number): Finding[] {
  const { leftOver: left, oldestAt, unreadable } = inspectSpool(dir)
  const findings: Finding[] = []
  if (unreadable > 0) {
    findings.push(
      failed(
        `${unreadable} ${unreadable === 1 ? 'answer' : 'answers'} in the spool cannot be read.`,
        'If a newer Tokenkeeper ran here, start it again; else keep the file, and look at the log.',
      ),
    )
  }
  if (oldestAt !== null) {
    const says = `${left} ${left === 1 ? 'answer of a dead process waits' : 'answers of dead processes wait'} in the spool, since ${relativeTime(oldestAt, now)}.`
    const mend = 'Start a worker on this machine: it brings them into the store within a minute.'
    const age = now - oldestAt
    findings.push(age > LATE_MS ? failed(says, mend) : age > REPLAYED_WITHIN_MS ? warning(says, mend) : ok(says))
  }
  return findings.length > 0 ? findings : [ok('Nothing is left in the spool.')]
}
