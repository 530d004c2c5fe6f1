import { createHmac, timingSafeEqual } from 'node:crypto'
import { MINUTE } from '@tokenkeeper/core'
import { GraphError } from '../errors/graph-error.ts'
import { charge } from '../state/budgets.ts'
import type { App, Token } from '../state/model.ts'
import { findToken, tokenFault } from '../state/token-fault.ts'
import type { Call } from './host.ts'

const PROOF_TIME = 5 * MINUTE

/** The token that the call presents. @throws GraphError if there is none, it is dead, its proof is wrong, or a budget is spent */
export function authenticate(call: Call, missing: 'token_missing' | 'token_required' = 'token_required'): Token {
  const value = call.params.access_token
  if (value === undefined || value === '') throw new GraphError(missing)
  const token = findToken(call.world, value, call.family)
  const fault = tokenFault(call.world, token)
  if (fault !== undefined) throw fault
  const app = call.world.apps.get(token.appId)!
  checkProof(call, app, token)
  chargeCall(call, app, token)
  return token
}

/** Counts the call and sets the usage headers. @throws GraphError if a budget is spent */
export function chargeCall(call: Call, app: App, token?: Token): void {
  const { headers, refusal } = charge(call.world, app, token)
  Object.assign(call.headers, headers)
  if (refusal !== undefined) throw refusal
}

/** hex(HMAC-SHA256(app secret, token)); with appsecret_time over `token|seconds`, which holds for five minutes. */
function checkProof({ params, world }: Call, app: App, token: Token): void {
  const { appsecret_proof: proof, appsecret_time: time } = params
  if (proof === undefined) {
    if (app.requireProof && token.kind !== 'app') throw new GraphError('proof_required')
    return
  }
  const age = time === undefined ? 0 : Math.abs(world.now() - Number(time) * 1_000)
  const message = time === undefined ? token.value : `${token.value}|${time}`
  const expected = createHmac('sha256', app.secret).update(message).digest()
  const given = Buffer.from(proof, 'hex')
  const isRight = given.length === expected.length && timingSafeEqual(given, expected)
  // Also when the time is no number at all.
  if (!isRight || !(age <= PROOF_TIME)) throw new GraphError('proof_invalid')
}
