import { startFaultProxy } from '@tokenkeeper/testkit'
import { describe, expect, test } from 'vitest'
import type { ExtendProvider, FreshLogin } from '../../src/index.ts'
import type { OpenProvider, ProviderFixture } from './fixture.ts'

/** Declares the tests of providers whose old token goes on working, besides those for all. */
export function extendConformance(name: string, open: OpenProvider): void {
  describe.concurrent(`${name} conforms to what extends`, () => extendTests(open))
}

function extendTests(open: OpenProvider): void {
  const extendTest = (name: string, run: (subject: Subject) => Promise<void>) =>
    test(name, async () => {
      await using fixture = await open()
      const { provider, account } = fixture.at(fixture.url)
      if (provider.kind !== 'extend') throw new Error('This provider is of another kind.')
      const login = await fixture.connect()
      await run({ fixture, provider, login, account: account(login) })
    })

  extendTest('one token is all there is to keep', async ({ login }) => {
    expect(login.credential.refreshToken).toBe('')
    expect(login.diesAt).toBe(login.accessExpiresAt)
  })

  extendTest('the old token goes on working beside its successor', async ({ fixture, provider, login, account }) => {
    const answer = await provider.refresh(account, login.credential)
    expect(answer).toMatchObject({ kind: 'refreshed', extension: 'extended', credential: { refreshToken: '' } })
    expect(await fixture.accepts(login.credential)).toBe(true)
  })

  extendTest('the witness: alive', async ({ provider, login, account }) => {
    expect(await provider.confirmDead(account, login.credential)).toBe('alive')
  })

  extendTest('the witness: dead', async ({ fixture, provider, login, account }) => {
    await fixture.revoke(login)
    expect(await provider.confirmDead(account, login.credential)).toBe('dead')
  })

  extendTest('the witness that cannot be heard knows nothing', async ({ fixture, login }) => {
    await using proxy = await startFaultProxy({ target: fixture.url })
    const { provider, account } = fixture.at(proxy.url)
    const ask = () => (provider as ExtendProvider).confirmDead(account(login), login.credential)
    for (const rule of [{ kind: 'drop_request' }, { kind: 'html_401' }, { kind: 'truncate' }] as const) {
      const fault = proxy.fault(rule)
      expect(await ask()).toBe('unknown')
      fault.release()
    }
    await proxy[Symbol.asyncDispose]()
    expect(await ask()).toBe('unknown')
  })
}

interface Subject {
  readonly fixture: ProviderFixture
  readonly provider: ExtendProvider
  readonly login: FreshLogin
  readonly account: Parameters<ExtendProvider['refresh']>[0]
}
