import type { Account, Page } from '@tokenkeeper/core'
import { isoTime } from '../times.ts'

/** What programs see of an account; times in ISO 8601. */
export function accountForPrograms(account: Account) {
  const { id, platform, displayName, externalId, ownerId, status, statusReason, serviceUrl, failure } = account
  return {
    id,
    platform,
    name: displayName,
    externalId,
    ownerId,
    status,
    statusReason,
    serviceUrl,
    failure: failure && {
      class: failure.class,
      code: failure.code,
      count: failure.count,
      since: isoTime(failure.since),
    },
    lastRefreshedAt: isoTime(account.lastRefreshedAt),
    nextRefreshAt: isoTime(account.nextRefreshAt),
    accessExpiresAt: isoTime(account.accessExpiresAt),
    diesAt: isoTime(account.diesAt),
  }
}

/** All that is known of an account but its secrets. */
export function accountFacts(account: Account, pages: readonly Page[]) {
  const { providerAppId, ownerEmail, issuer, scopes, generation, attempt, lastAttempt } = account
  return {
    ...accountForPrograms(account),
    appId: providerAppId,
    ownerEmail,
    issuer,
    scopes,
    generation,
    connectedAt: isoTime(account.connectedAt),
    dataAccessExpiresAt: isoTime(account.dataAccessExpiresAt),
    keepsAppPassword: account.sealedAppPassword !== null,
    attempt: attempt && { state: attempt.state, refreshType: attempt.refreshType, beganAt: isoTime(attempt.beganAt) },
    lastAttempt: lastAttempt && { outcome: lastAttempt.outcome, at: isoTime(lastAttempt.at) },
    pages: pages.map(pageForPrograms),
  }
}

function pageForPrograms(page: Page) {
  const { id, externalId, name, status, statusReason, tasks, instagramBusinessAccountId } = page
  return {
    id,
    externalId,
    name,
    status,
    statusReason,
    tasks,
    instagramBusinessAccountId,
    tokenExpiresAt: isoTime(page.tokenExpiresAt),
    refreshedAt: isoTime(page.refreshedAt),
  }
}
