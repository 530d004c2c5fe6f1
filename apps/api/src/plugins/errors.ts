import { CodedError, ERRORS, type ErrorCode, toCodedError } from '@tokenkeeper/core'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'

/** What every failed call answers. */
export const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ACCOUNT_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  HALT_NOT_FOUND: 404,
  ACCOUNT_NEEDS_PERSON: 409,
  ACCOUNT_REMOVING: 409,
  PROVIDER_OFF: 409,
  JOB_INVALID: 409,
  JOB_STATE: 409,
  RATE_LIMITED: 429,
  STORE_UNAVAILABLE: 503,
  REDIS_UNAVAILABLE: 503,
  REDIS_TOO_OLD: 503,
}

/** Of every failure: some of them come before helmet can see to it. */
export const STRICT_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const

/** What the framework and its plugins say in codes of their own. */
const FRAMEWORK: Readonly<Record<string, readonly [ErrorCode, status: number, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_REQUEST', 400, 'The body is not valid JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_REQUEST', 400, 'The body is empty: send a JSON object.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_REQUEST', 400, 'The body is not as long as its Content-Length says.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['INVALID_REQUEST', 415, 'Send the body with `Content-Type: application/json`.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['INVALID_REQUEST', 413, 'The body is too large.'],
  FST_ERR_BAD_URL: ['INVALID_REQUEST', 400, 'The address is malformed.'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 404, ERRORS.NOT_FOUND],
  FST_CSRF_MISSING_SECRET: ['FORBIDDEN', 403, 'The page has expired: load it again.'],
  FST_CSRF_INVALID_TOKEN: ['FORBIDDEN', 403, 'The page has expired: load it again.'],
}

export interface PublicError {
  readonly status: number
  readonly code: ErrorCode
  /** Ours: neither the framework's words nor those of whatever failed. */
  readonly message: string
}

export function toPublicError(error: unknown): PublicError {
  const { validation, code: frameworkCode = '' } = error as Partial<FastifyError>
  const known = FRAMEWORK[frameworkCode]
  if (known) return { code: known[0], status: known[1], message: known[2] }
  if (validation) return { code: 'INVALID_REQUEST', status: 400, message: describe(validation) }
  const { code, message } = toCodedError(error)
  return { code, status: STATUS[code] ?? 500, message }
}

function describe(issues: NonNullable<FastifyError['validation']>): string {
  const sentences = issues.map(({ instancePath, message = 'is malformed' }) => {
    const field = instancePath.replaceAll('/', '.').replace(/^\./, '')
    return field === '' ? message : `${field}: ${message}`
  })
  return `The request is malformed: ${sentences.join('; ')}.`
}

/** Every error of the app as JSON, in public words alone; what is no fault of the caller's is logged. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => sendError(reply, error))
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, () => {
    throw new CodedError('NOT_FOUND')
  })
}

export function sendError(reply: FastifyReply, error: unknown): void {
  const { status, code, message } = toPublicError(error)
  if (status >= 500) logError(reply.log, error, status)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  reply.code(status).headers(STRICT_HEADERS).type('application/json').send(errorText(code, message))
}

export function errorText(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message } } satisfies z.output<typeof errorBody>)
}

/** 503: a dependency is away, which its own subsystem logs in full. */
export function logError(log: FastifyBaseLogger, error: unknown, status: number): void {
  if (status === 503) log.warn({ code: toCodedError(error).code }, 'request failed')
  else log.error({ err: error }, 'request failed')
}
