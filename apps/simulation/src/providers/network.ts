import { HOUR, MINUTE, SECOND, type Verdict } from '@tokenkeeper/core'
import type { RefreshAnswer, Refreshed } from '@tokenkeeper/providers'
import { type Answer, latency, type Task } from '../fleet/task.ts'
import type { World } from '../world.ts'
import type { ProviderModel } from './model.ts'

/** After this the HTTP client gives up (ms). */
const HTTP_TIMEOUT_MS = 150 * SECOND
/** About as long as the engine waits. */
const LATE_AFTER_MS = 25 * SECOND
/** At the most; shorter than the least time between two witnesses. */
const FALSE_DEAD_MS = 4 * MINUTE
/** Only one request falls into it. */
const AN_INSTANT_MS = 0.01

/** What the client makes of each answer, as packages/providers does of the real ones. */
const REFUSED: Verdict = { kind: 'retry', code: 'PROVIDER_UNREACHABLE', spent: 'no' }
const RESET: Verdict = { kind: 'retry', code: 'PROVIDER_UNAVAILABLE', spent: 'unknown' }
const TIMED_OUT: Verdict = { kind: 'retry', code: 'PROVIDER_TIMEOUT', spent: 'unknown' }
const HTML: Verdict = { kind: 'retry', code: 'PROVIDER_BAD_ANSWER', spent: 'unknown' }
const CHECKPOINT: Verdict = { kind: 'needs_action', code: 'BLUESKY_TAKEN_DOWN' }
const DEAD: Verdict = { kind: 'dead', code: 'BLUESKY_SESSION_EXPIRED' }

/**
 * A request to a provider and its answer, on a network that loses and delays both. `work` is what the provider does
 * with the request; null: the credential is dead.
 */
export function exchange(
  world: World,
  task: Task,
  accountId: string,
  provider: ProviderModel,
  work: () => Refreshed | null,
): Promise<RefreshAnswer> {
  const { scheduler, faults, random } = world
  const sentAt = scheduler.now()
  const left = () => sentAt + HTTP_TIMEOUT_MS - scheduler.now()

  function send(answer: Answer<RefreshAnswer>): void {
    if (faults.strikes('request.refused')) reply(answer, REFUSED, 'it is refused')
    else if (faults.strikes('request.lost')) nothing(answer, 'it is lost')
    else {
      const isLate = faults.strikes('request.late')
      scheduler.in(isLate ? random.duration(SECOND, 0.9 * HTTP_TIMEOUT_MS) : latency(random), () => arrive(answer))
    }
  }

  function arrive(answer: Answer<RefreshAnswer>): void {
    const result = refuses(world, provider) ?? work() ?? DEAD
    if (result.kind === 'refreshed') comeBack(answer, result)
    else reply(answer, result, `the provider says ${result.code}`)
  }

  function comeBack(answer: Answer<RefreshAnswer>, result: Refreshed): void {
    const { refreshToken, accessToken } = result.credential
    note(`the provider answers with ${refreshToken || accessToken}`)
    const forget = world.checker.answered(task, accountId, result)
    if (faults.strikes('response.lost')) {
      forget()
      nothing(answer, 'the answer is lost')
    } else if (faults.strikes('provider.bad-gateway')) {
      forget()
      reply(answer, RESET, 'a proxy makes a 502 of the answer')
    } else {
      const isLate = faults.strikes('response.late')
      answer(Math.min(left(), isLate ? random.duration(LATE_AFTER_MS, HTTP_TIMEOUT_MS) : latency(random)), () => {
        if (left() > 0) return result
        // It was too late, or the process was held up for longer than the client waits.
        forget()
        return TIMED_OUT
      })
    }
  }

  function reply(answer: Answer<RefreshAnswer>, verdict: Verdict, what: string): void {
    note(what)
    answer(Math.min(left(), latency(random)), () => verdict)
  }

  function nothing(answer: Answer<RefreshAnswer>, what: string): void {
    note(what)
    if (random.chance(0.5)) answer(latency(random), () => RESET)
    else answer(left(), () => TIMED_OUT)
  }

  const note = (what: string) => world.trace(() => `${task.name}: ${what}`)
  return task.call(send)
}

/** What goes wrong at the provider itself, before it looks at the credential. */
function refuses({ faults, conditions, scheduler, random, checker }: World, provider: ProviderModel): Verdict | null {
  const now = scheduler.now()
  if (conditions.falseDeadUntil === 0 && faults.strikes('provider.false-dead')) {
    conditions.falseDeadUntil = now + (random.chance(0.5) ? AN_INSTANT_MS : random.spread(1, FALSE_DEAD_MS))
  }
  if (faults.strikes('provider.checkpoint')) conditions.checkpointUntil = now + random.duration(MINUTE, HOUR)
  if (provider.restoreBackup && !faults.struck.includes('provider.restored') && faults.strikes('provider.restored')) {
    provider.restoreBackup()
    checker.changedOutside('the provider came back from a backup')
  }
  if (faults.strikes('provider.rate-limit')) {
    const until = Math.floor(now + random.duration(SECOND, HOUR))
    return { kind: 'snooze', code: 'PROVIDER_RATE_LIMITED', until, scope: 'host' }
  }
  if (faults.strikes('provider.error')) return RESET
  if (faults.strikes('provider.html-401')) return HTML
  if (conditions.falseDeadUntil > now) return DEAD
  return conditions.checkpointUntil > now ? CHECKPOINT : null
}
