import type { Account } from '@tokenkeeper/core'
import type { ExplainedAccount, ExplainFacts, Explanation } from './explanation.ts'
import { findingsOf } from './findings.ts'
import { lineageOf } from './lineage.ts'
import { whyOf } from './why.ts'

/** Why an account is due or not, when it is taken up next, and what came before. Pure: the same facts tell the same. */
export function explain(facts: ExplainFacts): Explanation {
  const { account, log } = facts
  const reason = whyOf(facts)
  return {
    account: explained(account),
    ...reason,
    findings: findingsOf(facts, reason),
    lineage: lineageOf(account, log),
  }
}

function explained(account: Account): ExplainedAccount {
  const { id, ownerId, platform, externalId, displayName, status, statusReason, generation, attempt } = account
  return { id, ownerId, platform, externalId, displayName, status, statusReason, generation, attempt }
}
