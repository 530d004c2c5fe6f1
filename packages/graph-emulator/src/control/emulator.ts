import { z } from 'zod'
import { ERROR_NAMES } from '../errors/table.ts'
import { FAMILIES, REFRESH_MODES } from '../state/model.ts'
import { ControlError, control, id, nothing } from './control.ts'

const answer = z.strictObject({
  status: z.int().min(200).max(599),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown(),
})

/** A caller in the process may give an expression; over HTTP it is its source. */
const path = z
  .union([z.instanceof(RegExp), z.string().refine(isExpression, 'is no regular expression')])
  .transform((given) => new RegExp(given instanceof RegExp ? given.source : given))

export const EMULATOR_CONTROLS = {
  configure: control(
    'Switches between behaviours that were all seen at Meta.',
    z.strictObject({
      refreshMode: z.enum(REFRESH_MODES).optional(),
      instagramCodeAnswer: z.enum(['data', 'flat']).optional(),
      refreshedToken: z.enum(['new', 'same']).optional(),
      dataAccessLapses: z.boolean().optional(),
    }),
    ({ world }, given) => {
      const set = Object.entries(given).filter(([, value]) => value !== undefined)
      Object.assign(world.settings, Object.fromEntries(set))
      return { ...world.settings }
    },
  ),
  advanceClock: control(
    'Moves the clock forward, by ms.',
    z.strictObject({ ms: z.number().nonnegative() }),
    ({ world, advance }, { ms }) => {
      advance(ms)
      return { now: world.now() }
    },
  ),
  clock: control('The time of the emulator, ms since the epoch.', nothing, ({ world }) => ({ now: world.now() })),
  inject: control(
    'Answers requests that fit with an error of the table, or with an answer of your own; nothing else happens then. Times: default 1, null = until cleared.',
    z
      .strictObject({
        host: z.enum(FAMILIES).optional(),
        method: z.enum(['GET', 'POST', 'DELETE']).optional(),
        path: path.optional(),
        appId: id.optional(),
        userId: id.optional(),
        pageId: id.optional(),
        tokenDigest: z.string().optional(),
        error: z.enum(ERROR_NAMES).optional(),
        answer: answer.optional(),
        times: z.int().positive().nullable().default(1),
      })
      .refine(({ error, answer }) => (error === undefined) !== (answer === undefined), 'needs error or answer'),
    ({ injections }, { times, path, ...given }) => {
      const left = times ?? Number.POSITIVE_INFINITY
      const { host, method, appId, userId, pageId, tokenDigest, error, answer } = given
      const fits = { host, method, path, appId, userId, pageId, tokenDigest }
      return { id: injections.add({ ...fits, error, answer, left }) }
    },
  ),
  clearInjections: control(
    'Removes an injection, or all.',
    z.strictObject({ id: z.int().optional() }),
    ({ injections }, { id: which }) => {
      if (which === undefined) injections.clear()
      else if (!injections.remove(which)) throw new ControlError(`There is no injection ${which}.`)
    },
  ),
  requests: control(
    'The latest requests; `after`: those after this id.',
    z.strictObject({ after: z.int().nonnegative().optional() }),
    ({ log }, { after }) => ({ count: log.count(), requests: log.list(after) }),
  ),
  callbacks: control('The callbacks that were posted, and how they were answered.', nothing, ({ callbacks }) => [
    ...callbacks.deliveries,
  ]),
} as const

function isExpression(source: string): boolean {
  try {
    return new RegExp(source) !== null
  } catch {
    return false
  }
}
