import { DAY, HOUR } from '@tokenkeeper/core'
import { openCredential } from '@tokenkeeper/engine'
import { describe, expect, test } from 'vitest'
import { createCalendar } from './calendar.ts'

/** A quarter; a year by hand: SIMULATED_DAYS=365 */
const DAYS = Number(process.env.SIMULATED_DAYS ?? 92)
const USERS = { meta: 30, instagram: 10, threads: 10 }
const PAGES = 40

describe(`${DAYS} days, by schedule alone`, { timeout: 1_200_000 }, () => {
  test('no token ever expires, and few requests are made', async () => {
    await using calendar = await createCalendar(USERS, PAGES)
    const { context, control } = calendar
    const { requests: begun } = countOf(control)
    for (let day = 0; day < DAYS; day++) {
      if (day % 30 === 0) await calendar.everyoneUsesTheApp()
      await calendar.pass(DAY)
      const accounts = await calendar.accounts()
      expect(accounts).toHaveLength(50)
      for (const account of accounts) {
        expect(account).toMatchObject({ status: 'active', statusReason: null, attempt: null })
        const { accessToken } = openCredential(context.sealer, account.id, account.sealedCredential)
        expect(control.inspectToken({ token: accessToken }).valid).toBe(true)
        expect(account.diesAt! - context.clock.now()).toBeGreaterThan(5 * DAY)
      }
      expect(await calendar.workingPages()).toBe(PAGES)
    }
    const accounts = await calendar.accounts()
    const refreshes = accounts.reduce((sum, { generation }) => sum + generation - 1, 0)
    const requests = countOf(control).requests - begun
    const perYear = (requests / accounts.length) * (365 / DAYS)
    console.log(
      `${DAYS} days: ${refreshes} refreshes of ${accounts.length} accounts, ${requests} requests ` +
        `(${perYear.toFixed(1)} an account and year)`,
    )
    // Once in about 52 days each, and for a Facebook user an exchange, a look at the token and a listing of the Pages.
    const most = Math.ceil(DAYS / 50)
    for (const { generation } of accounts) expect(generation - 1).toBeLessThanOrEqual(most)
    expect(requests).toBeLessThanOrEqual(USERS.meta * (3 * most + 1) + 20 * most)
  })

  test('where nothing is extended, a warning comes in good time and nothing loops', async () => {
    await using calendar = await createCalendar({ meta: 10, instagram: 0, threads: 0 }, 0)
    const { context, control } = calendar
    control.configure({ refreshMode: 'same_expiry', dataAccessLapses: false })
    const connected = new Map((await calendar.accounts()).map((account) => [account.id, account]))
    const { requests: begun } = countOf(control)
    for (let hour = 0; hour < DAYS * 24; hour += 6) await calendar.pass(6 * HOUR)
    for (const { id, status, statusReason } of await calendar.accounts()) {
      expect({ status, statusReason }).toEqual({ status: 'needs_reconnect', statusReason: 'META_TOKEN_EXPIRED' })
      const events = (await context.store.events.list({ accountId: id, limit: 100 })).toReversed()
      expect(events.map(({ type, reason }) => [type, reason])).toEqual([
        ['account.connected', null],
        ['account.reconnect_soon', 'TOKEN_NOT_EXTENDED'],
        ['account.needs_reconnect', 'META_TOKEN_EXPIRED'],
      ])
      const { diesAt } = connected.get(id)!
      expect(diesAt! - events[1]!.at).toBeGreaterThan(6 * DAY)
      expect(
        calendar.log().filter((line) => line.includes('TOKEN_NOT_EXTENDED') && line.includes(id)).length,
      ).toBeGreaterThan(0)
    }
    const perAccount = (countOf(control).requests - begun) / connected.size
    console.log(`${DAYS} days without an extension: ${perAccount.toFixed(1)} requests an account`)
    expect(perAccount).toBeLessThan(50)
  })
})

function countOf(control: Awaited<ReturnType<typeof createCalendar>>['control']): { readonly requests: number } {
  return { requests: control.requests({}).count }
}
