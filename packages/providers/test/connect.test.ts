import { systemClock } from '@tokenkeeper/core'
import { type Pds, startFaultProxy, startPds } from '@tokenkeeper/testkit'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type BlueskyLogin,
  type BlueskyOptions,
  connectBluesky,
  createBlueskyProvider,
  createHttp,
} from '../src/index.ts'

const DELETE = 'com.atproto.server.deleteSession'
const NOBODY = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'

// A login takes a third of a second at best, and other suites may run beside this one.
vi.setConfig({ testTimeout: 30_000 })

const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

let pds: Pds
let options: BlueskyOptions

beforeAll(async () => {
  pds = stack.use(await startPds())
  const http = stack.use(createHttp({ allowedPrivateHosts: ['localhost'] }))
  options = { http, clock: systemClock, plcUrl: pds.plcUrl }
})

async function newAccount() {
  const [account] = await pds.createAccounts(1)
  return { ...account!, appPassword: await pds.createAppPassword(account!) }
}

const connect = (login: BlueskyLogin) => connectBluesky(options, login)

describe.concurrent('a login', () => {
  test('by DID alone: the host is found by the identity', async () => {
    const { did, handle, appPassword } = await newAccount()
    const fresh = await connect({ identifier: did, appPassword })
    expect(fresh).toMatchObject({
      platform: 'bluesky',
      providerAppId: '',
      externalId: did,
      displayName: handle,
      serviceUrl: pds.url,
      issuer: 'did:web:localhost',
      scopes: ['com.atproto.appPass'],
    })
    expect((await pds.getSession(fresh.credential.accessToken)).status).toBe(200)
    const again = await createBlueskyProvider(options).refresh({ id: '', ...fresh }, fresh.credential)
    expect(again.kind).toBe('refreshed')
  })

  test('by handle and service', async () => {
    const { did, handle, appPassword } = await newAccount()
    const fresh = await connect({ identifier: ` @${handle.toUpperCase()} `, appPassword, service: `${pds.url}/` })
    expect(fresh).toMatchObject({ externalId: did, displayName: handle, serviceUrl: pds.url })
  })

  test('of a deactivated account works', async () => {
    const account = await newAccount()
    await pds.deactivate(account)
    expect(await connect({ identifier: account.did, appPassword: account.appPassword })).toMatchObject({
      externalId: account.did,
    })
  })
})

describe.concurrent('a login that fails', () => {
  test('wrong password', async () => {
    const { did } = await newAccount()
    const error = await connect({ identifier: did, appPassword: 'abcd-efgh-ijkl-mnop' }).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'LOGIN_REFUSED' })
    expect(`${error.message} ${error.internal}`).not.toContain('abcd')
  })

  test('taken down', async () => {
    const { did, password } = await newAccount()
    await pds.admin.takedown(did)
    await expect(connect({ identifier: did, appPassword: password })).rejects.toMatchObject({
      code: 'LOGIN_REFUSED',
      message: expect.stringContaining('taken down'),
    })
  })

  test.each([
    ['no handle', { identifier: 'not a handle', appPassword: 'x' }, 'HANDLE_UNKNOWN'],
    ['an e-mail address', { identifier: 'alice@example.com', appPassword: 'x' }, 'HANDLE_UNKNOWN'],
    ['a handle that nobody answers for', { identifier: 'alice.invalid', appPassword: 'x' }, 'HANDLE_UNKNOWN'],
    ['a DID that nobody registered', { identifier: NOBODY, appPassword: 'x' }, 'HANDLE_UNKNOWN'],
    ['a DID of an unknown method', { identifier: 'did:example:x', appPassword: 'x' }, 'HANDLE_UNKNOWN'],
    ['a private service', { identifier: NOBODY, appPassword: 'x', service: 'https://10.1.2.3' }, 'ADDRESS_REFUSED'],
    [
      'a service without a scheme is https',
      { identifier: NOBODY, appPassword: 'x', service: '10.1.2.3' },
      'ADDRESS_REFUSED',
    ],
    [
      'a service without TLS',
      { identifier: NOBODY, appPassword: 'x', service: 'http://pds.example' },
      'ADDRESS_INVALID',
    ],
    [
      'a service that is no address',
      { identifier: NOBODY, appPassword: 'x', service: 'ftp://pds.example' },
      'ADDRESS_INVALID',
    ],
    [
      'a service that is not there',
      { identifier: NOBODY, appPassword: 'x', service: 'https://pds.invalid' },
      'LOGIN_FAILED',
    ],
  ])('%s', async (_, login, code) => {
    await expect(connect(login)).rejects.toMatchObject({ code })
  })

  test('an identity that points into a private network gets no password', async () => {
    const { did, appPassword } = await newAccount()
    await pds.moveDid(did, 'https://192.168.0.10')
    await expect(connect({ identifier: did, appPassword })).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' })
  })

  test('the directory cannot be asked', async () => {
    const offline = { ...options, plcUrl: 'https://plc.invalid' }
    await expect(connectBluesky(offline, { identifier: NOBODY, appPassword: 'x' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
    })
  })
})

describe.concurrent('a host that is not the home of the account it answers for', () => {
  test('is refused, and its session is closed', async () => {
    const { handle, appPassword } = await newAccount()
    await using proxy = await startFaultProxy({ target: pds.url })
    await expect(connect({ identifier: handle, appPassword, service: proxy.url })).rejects.toMatchObject({
      code: 'PROVIDER_WRONG_ACCOUNT',
    })
    expect(proxy.requestsTo(DELETE)).toMatchObject([{ status: 200 }])
  })

  test('is taken once the identity points to it', async () => {
    const { did, handle, appPassword } = await newAccount()
    await using proxy = await startFaultProxy({ target: pds.url })
    await pds.moveDid(did, proxy.url)
    expect(await connect({ identifier: handle, appPassword, service: proxy.url })).toMatchObject({
      serviceUrl: proxy.url,
    })
  })

  test('is refused if it answers for another DID than was asked for', async () => {
    const { did, appPassword } = await newAccount()
    const other = await newAccount()
    await using proxy = await startFaultProxy({ target: pds.url })
    await pds.moveDid(did, proxy.url)
    proxy.fault({
      kind: 'rewrite',
      rewrite: (answer) => ({ ...answer, body: String(answer.body).replaceAll(did, other.did) }),
    })
    await expect(connect({ identifier: did, appPassword })).rejects.toMatchObject({ code: 'PROVIDER_WRONG_ACCOUNT' })
  })
})
