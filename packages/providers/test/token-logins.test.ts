import { DAY } from '@tokenkeeper/core'
import { describe, expect, test } from 'vitest'
import { connectInstagramToken, connectMetaToken, connectThreadsToken } from '../src/index.ts'
import { instagramWorld, metaWorld, threadsWorld } from './support/graph-world.ts'

/** A token that the operator has; the user has let the app in before. */
async function operator(platform: 'meta' | 'instagram' | 'threads') {
  if (platform === 'meta') {
    const world = await metaWorld()
    await world.connect()
    return { world, connect: (token: string) => connectMetaToken(world.options, token) }
  }
  if (platform === 'instagram') {
    const world = await instagramWorld()
    await world.exchange(await world.getCode())
    return { world, connect: (token: string) => connectInstagramToken(world.options, token) }
  }
  const world = await threadsWorld()
  await world.exchange(await world.getCode())
  return { world, connect: (token: string) => connectThreadsToken(world.options, token) }
}

describe.concurrent.each(['meta', 'instagram', 'threads'] as const)('%s', (platform) => {
  test('a short-lived token becomes a long-lived one', async () => {
    const { world, connect } = await operator(platform)
    await using _world = world
    const { accessToken } = world.control.issueToken({ appId: world.app.id, userId: world.user.id, longLived: false })
    const login = await connect(accessToken)
    expect(login).toMatchObject({ platform, providerAppId: world.app.id, externalId: world.user.id })
    expect(login.diesAt).toBe(world.clock.now() + 60 * DAY)
    expect(login.credential.accessToken).not.toBe(accessToken)
    expect(world.control.inspectToken({ token: login.credential.accessToken })).toMatchObject({ longLived: true })
  })

  test('a long-lived token is taken', async () => {
    const { world, connect } = await operator(platform)
    await using _world = world
    const { accessToken } = world.control.issueToken({ appId: world.app.id, userId: world.user.id })
    const login = await connect(accessToken)
    expect(login.externalId).toBe(world.user.id)
    const inspection = world.control.inspectToken({ token: login.credential.accessToken })
    expect(inspection).toMatchObject({ valid: true, longLived: true })
  })

  test('a token that the provider does not accept is refused, and not repeated', async () => {
    const { world, connect } = await operator(platform)
    await using _world = world
    const token = `${platform === 'meta' ? 'EAA' : 'IG'}${'z'.repeat(60)}`
    const error = await connect(token).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'LOGIN_REFUSED' })
    expect(`${error.message} ${error.internal}`).not.toContain(token)
  })
})

test.each(['instagram', 'threads'] as const)('%s: an exchange without an answer keeps nothing', async (platform) => {
  const { world, connect } = await operator(platform)
  await using _world = world
  const { accessToken } = world.control.issueToken({ appId: world.app.id, userId: world.user.id, longLived: false })
  world.control.inject({ path: /\/access_token/, answer: { status: 502, body: '' } })
  await expect(connect(accessToken)).rejects.toMatchObject({ code: 'LOGIN_FAILED' })
})
