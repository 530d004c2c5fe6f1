import { readFileSync } from 'node:fs'
import { DAY, DEFAULT_DUE_POLICY, makeId, nextDueAt } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'

/** The figures under "What goes in". */
const REFRESHES_A_DAY = { bluesky: 1 / 6, meta: 6.6 / 365, instagram: 6.6 / 365, threads: 6.6 / 365 }
const REQUESTS = { bluesky: 1, meta: 3, instagram: 1, threads: 1 }
const SQLITE_A_SECOND = 748
const MONGO_A_SECOND = 370
const HOST_A_SECOND = 3_000 / 300
const ACCOUNT_KB = 4.4
const ENTRY_KB = 0.36
const LOG_DAYS = 400

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
const operations = page('operations.md')

const count = (value: number) => Math.round(value).toLocaleString('en')

function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3_600)} h ${Math.round((whole % 3_600) / 60)} min`
}

function size(kilobytes: number): string {
  if (kilobytes < 1e6) return `${Math.round(kilobytes / 1e3)} MB`
  const gigabytes = kilobytes / 1e6
  return `${gigabytes < 10 ? gigabytes.toFixed(1) : Math.round(gigabytes)} GB`
}

describe('docs/operations.md computes with figures that were measured', () => {
  test('those of the benchmarks are what stands there', () => {
    const results = page('benchmarks.md')
    expect(results).toMatch(RegExp(`io, concurrency 100 \\| ${SQLITE_A_SECOND}/s`))
    expect(results).toMatch(RegExp(`overhead, MongoDB \\| ${MONGO_A_SECOND}/s`))
    const memory = operations.match(
      /(\d+) MB for each idle process, (\d+) MB at most for a worker.+, ([\d.]+) MB for Redis/,
    )
    const [, idle, worker, redis] = memory!
    expect(results).toMatch(RegExp(`idle memory: worker, [^|]+\\| ${idle},`))
    expect(results).toContain(`Redis held at most ${redis} MB`)
    expect(results).toContain(`the worker at most ${worker} MB`)
  })

  test('a Bluesky account is refreshed once in 6 days by the policy', () => {
    const at = Date.UTC(2027, 0, 15)
    const waits = Array.from({ length: 20_000 }, () => {
      const account = { id: makeId(), kind: 'grace', diesAt: at + 90 * DAY } as const
      return (nextDueAt(account, at, DEFAULT_DUE_POLICY) - at) / DAY
    })
    const mean = waits.reduce((sum, days) => sum + days) / waits.length
    expect(mean * REFRESHES_A_DAY.bluesky).toBeCloseTo(1, 1)
  })

  test('a year of Meta, Instagram and Threads adds up to the requests that were counted', () => {
    const [, refreshes, accounts] = operations.match(
      /measured over a simulated year: (\d+) refreshes of (\d+) accounts/,
    )!
    const [, requests, meta, others] = operations.match(/(\d+) requests of (\d+) Meta and (\d+) other accounts/)!
    expect(Number(meta) + Number(others)).toBe(Number(accounts))
    const perYear = Number(refreshes) / Number(accounts)
    expect(perYear / 365).toBeCloseTo(REFRESHES_A_DAY.meta, 4)
    const counted = Number(meta) * REQUESTS.meta + Number(others) * REQUESTS.instagram
    expect((perYear * counted) / Number(requests)).toBeCloseTo(1, 1)
  })

  test.each(['bluesky', 'meta', 'instagram', 'threads'] as const)('the requests of %s', (platform) => {
    const refreshes = REFRESHES_A_DAY[platform]
    const requests = refreshes * REQUESTS[platform]
    const cells = [`\`${platform}\``, refreshes.toFixed(3), requests.toFixed(3), count(requests * 100_000)]
    expect(operations).toContain(`| ${cells.join(' | ')} |`)
  })

  test('the budgets', () => {
    const perDay = HOST_A_SECOND * 86_400
    expect(operations).toContain(
      `${count(perDay)} requests a day | ${count(perDay / REFRESHES_A_DAY.bluesky)} accounts`,
    )
    expect(operations).toContain(`${count(HOST_A_SECOND * 3_600)} an hour if all are asked for at once`)
    const spreadHours = DEFAULT_DUE_POLICY.spreadMs / 3_600_000
    expect(operations).toContain(`| ${count((200 * spreadHours) / REQUESTS.meta)} accounts connected in the same hour`)
  })

  test.each([1_000, 10_000, 100_000, 1_000_000])('what a machine carries: %d accounts', (accounts) => {
    const refreshes = accounts * REFRESHES_A_DAY.bluesky
    const cells = [
      count(accounts),
      count(refreshes),
      ...[refreshes / SQLITE_A_SECOND, accounts / SQLITE_A_SECOND, accounts / MONGO_A_SECOND].map(duration),
      duration(accounts / HOST_A_SECOND),
      size(accounts * ACCOUNT_KB + refreshes * LOG_DAYS * ENTRY_KB),
    ]
    expect(operations).toContain(`| ${cells.join(' | ')} |`)
  })
})
