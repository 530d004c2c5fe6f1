import { z } from 'zod'
import { numericId, secretValue } from '../state/ids.ts'
import { FAMILIES } from '../state/model.ts'
import { appOf, ControlError, control, id } from './control.ts'

const calls = z.int().nonnegative().optional()
const budget = z.strictObject({ app: calls, user: calls, page: calls, custom: calls })
const url = z.url({ protocol: /^https?$/ })

export const APP_CONTROLS = {
  createApp: control(
    'Makes an app. Ids and secrets of Instagram and Threads are their own, so each host family takes an app.',
    z.strictObject({
      family: z.enum(FAMILIES).default('facebook'),
      id: id.optional(),
      secret: z.string().min(1).optional(),
      name: z.string().default('Example app'),
      redirectUris: z.array(url).default([]),
      requireProof: z.boolean().default(false),
      developers: z.array(id).default([]),
      deauthorizeUrl: url.optional(),
      dataDeletionUrl: url.optional(),
      budget: budget.default({}),
    }),
    ({ world }, { id: given, secret = secretValue(), developers, ...rest }) => {
      const appId = given ?? numericId()
      if (world.apps.has(appId)) throw new ControlError(`There is an app ${appId} already.`)
      const { deauthorizeUrl, dataDeletionUrl } = rest
      world.apps.set(appId, {
        ...rest,
        id: appId,
        secret,
        deauthorizeUrl,
        dataDeletionUrl,
        standing: 'live',
        developers: new Set(developers),
      })
      return { id: appId, secret }
    },
  ),
  setAppStanding: control(
    'Meta disables the app, restricts it ("API access blocked."), or takes that back.',
    z.strictObject({ appId: id, standing: z.enum(['live', 'disabled', 'restricted']) }),
    ({ world }, { appId, standing }) => {
      appOf(world, appId).standing = standing
    },
  ),
  resetSecret: control(
    'Gives the app a new secret; the old one, its proofs and its app tokens are refused from now on.',
    z.strictObject({ appId: id, secret: z.string().min(1).optional() }),
    ({ world }, { appId, secret = secretValue() }) => {
      appOf(world, appId).secret = secret
      return { secret }
    },
  ),
  requireProof: control(
    'Whether calls from servers need an appsecret_proof. A proof that is wrong is refused in any case.',
    z.strictObject({ appId: id, required: z.boolean() }),
    ({ world }, { appId, required }) => {
      appOf(world, appId).requireProof = required
    },
  ),
  setBudget: control(
    'Sets how many calls there are in a rolling hour: of the app (4), of one user (17), of one Page (32), or of the app with code 613 (custom). What is left out is unlimited, but for the app: 200 for each user, as Meta has it.',
    budget.extend({ appId: id }),
    ({ world }, { appId, ...given }) => {
      appOf(world, appId).budget = given
    },
  ),
} as const
