import { z } from 'zod'
import { consent, grantOf, removeGrant } from '../state/grants.ts'
import { numericId, secretValue } from '../state/ids.ts'
import { FAMILIES } from '../state/model.ts'
import { PERMISSIONS } from '../state/permissions.ts'
import { appOf, type ControlDeps, ControlError, control, id, pageOf, userOf } from './control.ts'

const both = z.strictObject({ appId: id, userId: id })
const ALL_TASKS = ['ANALYZE', 'ADVERTISE', 'MESSAGING', 'MODERATE', 'CREATE_CONTENT', 'MANAGE']

export const USER_CONTROLS = {
  createUser: control(
    'Makes a user, who logs in at the dialogs with email and password; or a system user of a Business, who cannot.',
    z.strictObject({
      family: z.enum(FAMILIES).default('facebook'),
      id: id.optional(),
      name: z.string().default('Example user'),
      email: z.string().optional(),
      password: z.string().min(1).optional(),
      systemUser: z.boolean().default(false),
    }),
    ({ world }, { id: given, email: address, password = secretValue(), ...rest }) => {
      const userId = given ?? numericId()
      if (world.users.has(userId)) throw new ControlError(`There is a user ${userId} already.`)
      const email = address ?? `${userId}@example.com`
      const state = { passwordGeneration: 1, checkpointed: false, confirmed: true, roles: new Map() }
      world.users.set(userId, { ...rest, ...state, id: userId, email, password })
      return { id: userId, email, password }
    },
  ),
  createPage: control(
    'Makes a Page; with businessId a Business owns it. Nobody has a role on it yet.',
    z.strictObject({
      id: id.optional(),
      name: z.string().default('Example Page'),
      category: z.string().default('Internet Company'),
      username: z.string().optional(),
      businessId: id.optional(),
      instagram: z.strictObject({ id, username: z.string() }).optional(),
    }),
    ({ world }, { id: given, ...rest }) => {
      const pageId = given ?? numericId()
      if (world.pages.has(pageId)) throw new ControlError(`There is a Page ${pageId} already.`)
      const { username, businessId, instagram } = rest
      world.pages.set(pageId, { ...rest, id: pageId, username, businessId, instagram })
      return { id: pageId }
    },
  ),
  deletePage: control(
    'Deletes a Page; its tokens are dead (492).',
    z.strictObject({ pageId: id }),
    ({ world }, { pageId }) => {
      pageOf(world, pageId)
      world.pages.delete(pageId)
    },
  ),
  setRole: control(
    'Gives a user a role on a Page by its tasks (default: all), or takes it with `tasks: null`. A role without tasks gets no Page token.',
    z.strictObject({ userId: id, pageId: id, tasks: z.array(z.string()).nullable().default(ALL_TASKS) }),
    ({ world }, { userId, pageId, tasks }) => {
      const { roles } = userOf(world, userId)
      if (tasks === null) roles.delete(pageId)
      else roles.set(pageOf(world, pageId).id, tasks)
    },
  ),
  grant: control(
    'Consents for a user, as the dialog does (default: everything). `pages`: those chosen; `targets`: where one permission covers others.',
    both.extend({
      permissions: z.array(z.string()).optional(),
      declined: z.array(z.string()).default([]),
      pages: z.array(id).optional(),
      targets: z.record(z.string(), z.array(id)).optional(),
    }),
    ({ world }, { appId, userId, permissions, declined, pages, targets }) => {
      const { app, user } = pair(world, appId, userId)
      const granted = permissions ?? PERMISSIONS[app.family].filter((name) => !declined.includes(name))
      for (const name of [...granted, ...declined, ...Object.keys(targets ?? {})]) {
        if (!PERMISSIONS[app.family].includes(name)) throw new ControlError(`There is no permission ${name}.`)
      }
      consent(world, app, user, { granted, declined, ...(pages && { pages }), ...(targets && { targets }) })
    },
  ),
  setPermission: control(
    'Changes one permission of a consent: declined in the user’s settings, or expired after 90 days without use.',
    both.extend({ permission: z.string(), status: z.enum(['granted', 'declined', 'expired']) }),
    ({ world }, { appId, userId, permission, status }) => {
      grantFor(world, appId, userId).permissions.set(permission, status)
    },
  ),
  engage: control(
    'The user uses the app: the 90 days of data access begin again.',
    both,
    ({ world }, { appId, userId }) => {
      grantFor(world, appId, userId).engagedAt = world.now()
    },
  ),
  removeApp: control(
    'The user removes the app: tokens are dead (458), and the deauthorize callback is posted.',
    both,
    async ({ world, callbacks }, { appId, userId }) => {
      grantFor(world, appId, userId)
      removeGrant(world, appId, userId)
      return { callback: (await callbacks.send('deauthorize', appId, userId)) ?? null }
    },
  ),
  requestDataDeletion: control(
    'The user asks the app to delete their data: that callback is posted.',
    both,
    async ({ world, callbacks }, { appId, userId }) => {
      pair(world, appId, userId)
      return { callback: (await callbacks.send('data_deletion', appId, userId)) ?? null }
    },
  ),
  changePassword: control(
    'The user changes the password: all tokens until now are dead (460), and so are logins.',
    z.strictObject({ userId: id, password: z.string().min(1).optional() }),
    ({ world }, { userId, password = secretValue() }) => {
      const user = userOf(world, userId)
      user.password = password
      user.passwordGeneration += 1
      return { password }
    },
  ),
  logOut: control(
    'Ends all tokens of the user that were issued until now (467).',
    z.strictObject({ userId: id }),
    ({ world }, { userId }) => {
      userOf(world, userId)
      for (const token of world.tokens.values()) if (token.userId === userId) token.revoked = true
    },
  ),
  setUser: control(
    'Puts the user before a checkpoint (459), makes the login unconfirmed (464), or takes that back.',
    z.strictObject({ userId: id, checkpointed: z.boolean().optional(), confirmed: z.boolean().optional() }),
    ({ world }, { userId, checkpointed, confirmed }) => {
      const user = userOf(world, userId)
      user.checkpointed = checkpointed ?? user.checkpointed
      user.confirmed = confirmed ?? user.confirmed
    },
  ),
} as const

export function pair(world: ControlDeps['world'], appId: string, userId: string) {
  const app = appOf(world, appId)
  const user = userOf(world, userId)
  if (app.family !== user.family) throw new ControlError('App and user are of different host families.')
  return { app, user }
}

export function grantFor(world: ControlDeps['world'], appId: string, userId: string) {
  pair(world, appId, userId)
  const grant = grantOf(world, appId, userId)
  if (grant === undefined) throw new ControlError(`User ${userId} has not let app ${appId} in.`)
  return grant
}
