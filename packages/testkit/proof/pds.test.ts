import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HOUR, MINUTE, tokenDigest } from '@tokenkeeper/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ClockFile,
  createClockFile,
  type Pds,
  type PdsAccount,
  spawnNode,
  startFaultProxy,
  startPds,
  type TempDir,
  tempDir,
  until,
} from '../src/index.ts'
import { isAlive } from '../test/processes.ts'

describe('a real PDS', () => {
  let dir: TempDir
  let clock: ClockFile
  let pds: Pds

  beforeAll(async () => {
    dir = await tempDir()
    clock = createClockFile(join(dir.path, 'clock'))
    pds = await startPds({ clockFile: clock.path })
  })

  afterAll(async () => {
    await pds?.[Symbol.asyncDispose]()
    clock?.[Symbol.dispose]()
    await dir?.[Symbol.asyncDispose]()
  })

  async function oneAccount(): Promise<PdsAccount> {
    const [account] = await pds.createAccounts(1)
    return account!
  }

  async function endpointOf(did: string): Promise<string> {
    const document = (await (await fetch(`${pds.plcUrl}/${did}`)).json()) as {
      service: { id: string; serviceEndpoint: string }[]
    }
    return document.service.find(({ id }) => id === '#atproto_pds')!.serviceEndpoint
  }

  test('makes accounts whose tokens work and whose DID documents name it', async () => {
    const accounts = await pds.createAccounts(10)
    expect(new Set(accounts.map(({ did }) => did)).size).toBe(10)
    for (const { did, handle, accessJwt } of accounts) {
      const answer = await pds.getSession(accessJwt)
      expect(answer).toMatchObject({ status: 200, body: { did, handle, active: true } })
      expect(await endpointOf(did)).toBe(pds.url)
    }
  })

  test('answers a spent refresh token for two hours by the shared clock, then refuses it', async () => {
    const { refreshJwt, accessJwt } = await oneAccount()
    const first = await pds.refreshSession(refreshJwt)
    expect(first.status).toBe(200)

    clock.advance(119 * MINUTE)
    const again = await pds.refreshSession(refreshJwt)
    expect(again.status).toBe(200)
    expect(tokenId(again.body.refreshJwt)).toBe(tokenId(first.body.refreshJwt))
    expect((await pds.getSession(accessJwt)).status).toBe(200)

    clock.advance(2 * MINUTE)
    expect(await pds.refreshSession(refreshJwt)).toMatchObject({
      status: 400,
      body: { error: 'ExpiredToken', message: 'Token has been revoked' },
    })
    expect(await pds.getSession(accessJwt)).toMatchObject({ status: 400, body: { error: 'ExpiredToken' } })
    expect((await pds.refreshSession(first.body.refreshJwt)).status).toBe(200)
  })

  test('logs in by an app password', async () => {
    const account = await oneAccount()
    const appPassword = await pds.createAppPassword(account)
    const session = await pds.createSession(account.handle, appPassword)
    expect(session).toMatchObject({ status: 200, body: { did: account.did } })
    expect((await pds.createSession(account.handle, 'wrong')).status).toBe(401)
  })

  test('a takedown, and its end', async () => {
    const { did, refreshJwt, handle, password } = await oneAccount()
    await pds.admin.takedown(did)
    expect(await pds.refreshSession(refreshJwt)).toMatchObject({ status: 401, body: { error: 'AccountTakedown' } })
    await pds.admin.untakedown(did)
    expect((await pds.createSession(handle, password)).status).toBe(200)
  })

  test('deactivation, and its end', async () => {
    const account = await oneAccount()
    await pds.deactivate(account)
    const answer = await pds.refreshSession(account.refreshJwt)
    expect(answer).toMatchObject({ status: 200, body: { active: false, status: 'deactivated' } })
    await pds.activate(account)
    expect((await pds.getSession(account.accessJwt)).body.active).toBe(true)
  })

  test('a changed password revokes the sessions', async () => {
    const account = await oneAccount()
    const changed = await pds.changePassword(account)
    expect(await pds.refreshSession(account.refreshJwt)).toMatchObject({ status: 400, body: { error: 'ExpiredToken' } })
    expect((await pds.createSession(account.did, changed.password)).status).toBe(200)
  })

  test('a deleted account is gone', async () => {
    const { did, refreshJwt } = await oneAccount()
    await pds.deleteAccount(did)
    const answer = await pds.refreshSession(refreshJwt)
    expect(answer).toMatchObject({ status: 400 })
    expect(answer.body.message).toMatch(/Could not find user info|revoked/)
  })

  test('a moved DID names the other PDS, its tokens stay with the old one', async () => {
    const { did, refreshJwt } = await oneAccount()
    await pds.moveDid(did, 'http://localhost:9')
    expect(await endpointOf(did)).toBe('http://localhost:9')
    expect((await pds.refreshSession(refreshJwt)).status).toBe(200)
    await expect(pds.moveDid('did:plc:unknown', 'http://localhost:9')).rejects.toThrow('did:plc:unknown was not moved')
  })

  test('sessions and DIDs outlive a stop and a kill, on the same port', async () => {
    const { did, refreshJwt } = await oneAccount()
    await pds.moveDid(did, 'http://localhost:9')
    const { url, pid } = pds
    await pds.stop()
    await expect(pds.refreshSession(refreshJwt)).rejects.toThrow()
    await pds.start()
    const first = await pds.refreshSession(refreshJwt)
    expect(first.status).toBe(200)
    await pds.kill()
    await pds.start()
    expect((await pds.refreshSession(first.body.refreshJwt)).status).toBe(200)
    expect(await endpointOf(did)).toBe('http://localhost:9')
    expect(pds.url).toBe(url)
    expect(pds.pid).not.toBe(pid)
  })

  test('through the fault proxy: a lost answer, and the same token presented again', async () => {
    await using proxy = await startFaultProxy({ target: pds.url })
    const { refreshJwt, handle } = await oneAccount()
    const refresh = () =>
      fetch(`${proxy.url}/xrpc/com.atproto.server.refreshSession`, {
        method: 'POST',
        headers: { authorization: `Bearer ${refreshJwt}` },
      })
    proxy.fault({ kind: 'drop_answer', times: 1 })
    await expect(refresh()).rejects.toThrow()
    const direct = await pds.refreshSession(refreshJwt)
    const proxied = (await (await refresh()).json()) as { handle: string; refreshJwt: string }
    expect(proxied.handle).toBe(handle)
    expect(tokenId(proxied.refreshJwt)).toBe(tokenId(direct.body.refreshJwt))
    expect(proxy.requestsTo('com.atproto.server.refreshSession')).toMatchObject([
      { method: 'POST', tokenDigest: tokenDigest(refreshJwt), status: undefined },
      { method: 'POST', tokenDigest: tokenDigest(refreshJwt), status: 200 },
    ])
  })

  test.runIf(process.platform === 'linux')('listens on 127.0.0.1 alone', async () => {
    for (const port of [pds.port, Number(new URL(pds.plcUrl).port)]) {
      expect(await connects('127.0.0.1', port)).toBe(true)
      // A socket of all interfaces would answer here as well.
      expect(await connects('127.0.0.2', port)).toBe(false)
    }
  })
})

test('rate limits and the DID document are there when asked for', async () => {
  await using pds = await startPds({ rateLimits: true, didDoc: true })
  const [account] = await pds.createAccounts(1)
  const answer = await pds.getSession(account!.accessJwt)
  expect(answer.headers.get('ratelimit-limit')).toBe('3000')
  expect(answer.body.didDoc.id).toBe(account!.did)
})

test('a PDS dies with its parent and leaves no data behind', async () => {
  await using parent = spawnNode(fileURLToPath(new URL('../test/fixtures/pds-parent.ts', import.meta.url)))
  const [, pid, dataDir] = await parent.waitForLine(/^pds (\d+) (.+)$/, 60_000)
  expect(existsSync(dataDir!)).toBe(true)
  parent.kill('SIGKILL')
  await until(() => !isAlive(Number(pid)) && !existsSync(dataDir!), { what: 'the PDS to be gone' })
})

test('a port that another server keeps is told', async () => {
  await using first = await startPds()
  await expect(startPds({ port: first.port })).rejects.toThrow('The port stays taken')
})

test('accounts outlive the process on a data directory of their own', async () => {
  await using dir = await tempDir()
  let port = 0
  let account: PdsAccount | undefined
  {
    await using pds = await startPds({ dataDir: dir.path })
    port = pds.port
    ;[account] = await pds.createAccounts(1)
  }
  await using pds = await startPds({ dataDir: dir.path, port })
  expect((await pds.refreshSession(account!.refreshJwt)).status).toBe(200)
  clockIsReal(await pds.refreshSession(account!.refreshJwt))
})

function clockIsReal(answer: { body: { accessJwt: string } }): void {
  expect(Math.abs(payload(answer.body.accessJwt).exp * 1_000 - 2 * HOUR - Date.now())).toBeLessThan(MINUTE)
}

function payload(token: string): { jti: string; exp: number } {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}

const tokenId = (token: string) => payload(token).jti

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
