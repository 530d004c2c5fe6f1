import { type Attempt, hasCode, isId, PLATFORMS, systemClock } from '@tokenkeeper/core'
import { type Explanation, explainAccount } from '@tokenkeeper/engine'
import { accountNotFound } from '../account-not-found.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { configuredPlatforms } from '../platforms.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

interface Options {
  readonly id: string
  readonly sandbox?: boolean
}

export async function explain({ id, sandbox = false }: Options, output: Output): Promise<number> {
  const config = loadSettings(sandbox)
  await using store = await openExistingStore(config)
  if (store === null || !isId(id)) throw accountNotFound()
  // The sandbox turns on what it makes hosts for, whenever it runs.
  const platforms = sandbox ? PLATFORMS : configuredPlatforms(config)
  const explanation = await explainAccount({ store, clock: systemClock, platforms }, id).catch((error: unknown) => {
    throw hasCode(error, 'ACCOUNT_NOT_FOUND') ? accountNotFound() : error
  })
  if (output.json) output.result(forPrograms(explanation))
  else sayExplanation(explanation, systemClock.now(), output)
  return 0
}

function forPrograms({ account, isDue, nextAt, why, findings, lineage }: Explanation) {
  const { id, platform, displayName, ownerId, externalId, status, statusReason, generation, attempt } = account
  return {
    account: { id, platform, name: displayName, externalId, ownerId, status, statusReason, generation },
    isDue,
    nextAt: isoTime(nextAt),
    why: { ...why, at: isoTime(why.at) },
    attempt: attempt && attemptForPrograms(attempt),
    findings: findings.map((finding) => ({ ...finding, at: isoTime(finding.at) })),
    lineage: lineage.map(({ generation, attempts }) => ({
      generation,
      attempts: attempts.map((one) => ({ ...one, at: isoTime(one.at) })),
    })),
  }
}

function attemptForPrograms(attempt: Attempt) {
  const { id, state, workerId, refreshType, presentedDigest: tokenDigest } = attempt
  return {
    id,
    state,
    workerId,
    refreshType,
    tokenDigest,
    beganAt: isoTime(attempt.beganAt),
    firstSentAt: isoTime(attempt.firstSentAt),
    unknownSince: isoTime(attempt.unknownSince),
    leaseUntil: attempt.state === 'live' ? isoTime(attempt.leaseUntil) : null,
    notBefore: attempt.state === 'live' ? null : isoTime(attempt.notBefore),
  }
}

function sayExplanation({ account, isDue, nextAt, why, findings, lineage }: Explanation, now: number, output: Output) {
  const { id, platform, displayName, status, statusReason, attempt } = account
  const state = [status, statusReason].filter(Boolean).join(' ')
  output.say(`${output.paint('bold', displayName)} (${platform} ${id}): ${state}`)
  const next = isDue ? 'now' : nextAt === null ? 'not before somebody does something' : relativeTime(nextAt, now)
  output.say(`Next: ${output.paint(isDue ? 'yellow' : 'bold', next)}`)
  if (attempt)
    output.say(
      `Attempt ${attempt.id}: ${attempt.state}, ${attempt.refreshType}, began ${relativeTime(attempt.beganAt, now)}`,
    )
  output.say()
  const rows = [why, ...findings].map(({ code, text, at }) => [code, text, relativeTime(at, now)])
  output.say(renderTable(['what', 'means', 'when'], rows))
  if (lineage.length === 0) return
  output.say()
  output.say(renderTable(['generation', 'presented', 'outcome', 'type', 'when', 'why'], lineageRows(lineage, now)))
}

function lineageRows(lineage: Explanation['lineage'], now: number) {
  return lineage.flatMap(({ generation, attempts }) =>
    attempts.map(({ tokenDigest, outcome, refreshType, at, errorCode }) => [
      generation,
      tokenDigest,
      outcome,
      refreshType,
      relativeTime(at, now),
      errorCode ?? '',
    ]),
  )
}
