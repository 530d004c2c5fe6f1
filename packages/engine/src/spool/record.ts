import type { RefreshResult } from '../result.ts'

type Check = (value: unknown) => boolean
type Checks<T> = { readonly [field in keyof T]-?: Check }

const isText: Check = (value) => typeof value === 'string' && value !== ''
const isInteger: Check = (value) => Number.isSafeInteger(value)
/** Not only whole ones: a fraction of a millisecond must not keep a successor out. */
const isTime: Check = (value) => Number.isFinite(value)
const isTimeOrNull: Check = (value) => value === null || isTime(value)
const orAbsent =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const isTextOrNull: Check = (value) => value === null || isText(value)

const ATTEMPT: Checks<RefreshResult['attempt']> = {
  id: isText,
  refreshType: isText,
  beganAt: isTime,
  presentedDigest: isText,
  workerId: isText,
}

const RESULT: Checks<RefreshResult> = {
  version: (value) => value === 1,
  accountId: isText,
  generation: isInteger,
  connectId: isText,
  attempt: (value) => fits(value, ATTEMPT),
  sealed: isText,
  keyId: isText,
  accessExpiresAt: isTimeOrNull,
  diesAt: isTimeOrNull,
  oldExpiresAt: isTimeOrNull,
  nextRefreshAt: isTime,
  answeredAt: isTime,
  note: isTextOrNull,
  extension: orAbsent(isText),
  dataAccessExpiresAt: orAbsent(isTimeOrNull),
  pagesDueAt: orAbsent(isTime),
}

/** The result in a spooled record; null if it is damaged, or of a version that this program does not know. */
export function readRecord(record: string): RefreshResult | null {
  try {
    const value: unknown = JSON.parse(record)
    return isRefreshResult(value) ? value : null
  } catch {
    return null
  }
}

export function isRefreshResult(value: unknown): value is RefreshResult {
  return fits(value, RESULT)
}

function fits<T>(value: unknown, checks: Checks<T>): value is T {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  return Object.entries<Check>(checks).every(([field, check]) => check(fields[field]))
}
