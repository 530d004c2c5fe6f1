import { type Account, DAY, type DuePolicy, endOf, type Halt, haltIdOf } from '@tokenkeeper/core'
import { type Explanation, explain } from '@tokenkeeper/engine'

export interface WhyFacts {
  readonly halts: ReadonlyMap<string, Halt>
  readonly due: DuePolicy
  readonly now: number
}

/** Why an account falls due when it does: what stands in its way or behind it, else what set its date. */
export function whyDue(account: Account, { halts, due, now }: WhyFacts): Pick<Explanation['why'], 'code' | 'text'> {
  const halt = halts.get(haltIdOf(account.platform, account.providerAppId)) ?? null
  const kind = account.platform === 'bluesky' ? 'grace' : 'extend'
  const { why } = explain({ account, kind, halt, log: [], isOn: true, now })
  if (why.code !== 'DUE' && why.code !== 'NOT_DUE') return why
  return { code: why.code, text: whatSetIt(account, due) }
}

function whatSetIt(account: Account, { thresholdMs, rotateEveryMs }: DuePolicy): string {
  const { failure, platform, lastRefreshedAt } = account
  if (failure !== null) return `tried again after ${failure.code}`
  if (platform === 'bluesky') {
    const since = lastRefreshedAt === null ? 'connected' : 'refreshed'
    return `${since} ${day(lastRefreshedAt ?? account.connectedAt)}; sessions are refreshed every ${days(rotateEveryMs)}`
  }
  const end = endOf(account)
  if (end === null) return 'the end of its token is not known'
  const what = end.by === 'token' ? 'its token ends' : "the access to its user's data ends"
  return `${what} ${day(end.at)}; taken up to ${days(thresholdMs)} and a spread before`
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

function days(ms: number): string {
  return ms === DAY ? 'day' : `${Math.round(ms / DAY)} days`
}
