import { expect, test } from 'vitest'
import { ask, createTestWorld, errorOf } from './world.ts'

test("/me is the user's node; the email takes its permission", async () => {
  await using world = await createTestWorld()
  const { id, email } = world.user
  const token = world.connect(true, ['email'])
  const me = (fields?: string) => world.get('/v26.0/me', { access_token: token, ...(fields && { fields }) })
  expect((await me()).body).toEqual({ id, name: 'Example user' })
  expect((await me('email')).body).toEqual({ id, email })
  world.control.setPermission({ ...world.both, permission: 'email', status: 'declined' })
  expect((await me('email')).body).toEqual({ id })
  expect(errorOf(await me('name{'))).toMatchObject({ code: 100 })
  expect((await world.get(`/${id}`, { access_token: token })).body).toEqual({ id, name: 'Example user' })
})

test('a token may come in the query, in a form, as JSON or as a Bearer header', async () => {
  await using world = await createTestWorld()
  const token = world.connect()
  const url = `${world.url}/v26.0/me`
  expect((await ask(url, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
  expect((await ask(url, { headers: { authorization: `OAuth ${token}` } })).status).toBe(200)
  const exchange = { ...world.client, grant_type: 'fb_exchange_token', fb_exchange_token: token }
  const asJson = { method: 'POST', body: JSON.stringify(exchange), headers: { 'content-type': 'application/json' } }
  expect((await ask(`${world.url}/v26.0/oauth/access_token`, asJson)).status).toBe(200)
  expect(errorOf(await ask(`${world.url}/v26.0/oauth/access_token`, { ...asJson, body: '{' }))).toMatchObject({
    code: 100,
  })
})

test('a Page is read with a user token or its own, which is its /me', async () => {
  await using world = await createTestWorld()
  const [id, other] = [world.addPage(), world.addPage()]
  const token = world.connect()
  const page = (await world.get(`/v26.0/${id}`, { access_token: token, fields: 'access_token,name,category' })).body
  expect(page).toEqual({ id, name: 'Example Page', category: 'Internet Company', access_token: expect.any(String) })
  expect((await world.get('/v26.0/me', { access_token: page.access_token })).body.id).toBe(id)
  const foreign = await world.get(`/v26.0/${other}`, { access_token: page.access_token })
  expect(errorOf(foreign)).toMatchObject({ code: 100, error_subcode: 33 })
})

test('the app is read with its own token, and nothing else is', async () => {
  await using world = await createTestWorld()
  const { id } = world.app
  expect((await world.get(`/${id}`, { access_token: world.appToken })).body).toEqual({ id, name: 'Example app' })
  const user = await world.get(`/${world.user.id}`, { access_token: world.appToken })
  expect(errorOf(user)).toMatchObject({ code: 100, error_subcode: 33 })
})

test('permissions are listed, given back one by one, and all at once with the app', async () => {
  await using world = await createTestWorld()
  const token = world.connect(true, ['email', 'pages_show_list'])
  const url = `${world.url}/v26.0/me/permissions`
  const list = async () => (await ask(`${url}?access_token=${token}`)).body.data
  const remove = (path: string) => ask(`${url}${path}?access_token=${token}`, { method: 'DELETE' })
  expect((await remove('/email')).body).toEqual({ success: true })
  expect(await list()).toEqual([
    { permission: 'public_profile', status: 'granted' },
    { permission: 'email', status: 'declined' },
    { permission: 'pages_show_list', status: 'granted' },
  ])
  expect(errorOf(await remove('/read_insights'))).toMatchObject({ code: 100 })
  expect((await remove('')).body).toEqual({ success: true })
  expect((await world.debug(token)).error).toMatchObject({ subcode: 458 })
})

test('paths and methods that do not exist', async () => {
  await using world = await createTestWorld()
  const access_token = world.connect()
  const nowhere = await world.get('/v26.0/me/nowhere', { access_token })
  expect(nowhere.status).toBe(400)
  expect(errorOf(nowhere)).toMatchObject({ code: 2500, message: 'Unknown path components: /me/nowhere' })
  const posted = await world.post(`/v26.0/${world.user.id}/accounts`, { access_token })
  expect(errorOf(posted)).toMatchObject({
    code: 100,
    message: expect.stringContaining(`Unsupported post request. Object with ID '${world.user.id}'`),
  })
  expect(errorOf(await world.get('/v26.0/123'))).toMatchObject({ code: 104 })
})

test('a multipart form that cannot be read is refused', async () => {
  await using world = await createTestWorld()
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const answer = await ask(`${world.url}/oauth/access_token`, { method: 'POST', headers, body: 'nonsense' })
  expect(answer.status).toBe(400)
  expect(errorOf(answer)).toMatchObject({ code: 100 })
})
