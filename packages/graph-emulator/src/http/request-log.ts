import type { Family } from '../state/model.ts'

/** One request as it was answered. Nothing in it is secret. */
export interface LoggedRequest {
  /** 1, 2, 3 …, in the order of the answers. */
  readonly id: number
  /** ms, by the emulator's clock. */
  readonly at: number
  readonly host: Family
  readonly method: string
  /** Without version and query. */
  readonly path: string
  /** The version that answered. */
  readonly version: string
  readonly grantType: string | undefined
  /** SHA-256 in hex of each token that was presented, in whatever parameter. */
  readonly tokenDigests: readonly string[]
  /** Names of parameters with secrets that came in the URL. */
  readonly secretsInUrl: readonly string[]
  readonly status: number
  /** Of the error that was answered. */
  readonly code: number | undefined
  readonly subcode: number | undefined
}

export interface RequestLog {
  add(request: Omit<LoggedRequest, 'id'>): void
  /** Those after an id; without one, all that are kept. */
  list(after?: number): readonly LoggedRequest[]
  /** How many there were ever. */
  count(): number
}

/** Keeps the latest `limit` requests. */
export function createRequestLog(limit: number): RequestLog {
  let kept: LoggedRequest[] = []
  let last = 0
  return {
    add(request) {
      last += 1
      kept.push({ id: last, ...request })
      if (kept.length >= 2 * limit) kept = kept.slice(-limit)
    },
    list: (after = 0) => kept.slice(-limit).filter(({ id }) => id > after),
    count: () => last,
  }
}
