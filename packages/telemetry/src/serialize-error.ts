import { CodedError } from '@tokenkeeper/core'

interface SerializedError {
  readonly type: string
  readonly code?: string
  readonly message: string
  /** What a provider or a library said; scrubbed with the rest of the line. */
  readonly internal?: string
  readonly stack?: string
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** Causes of causes beyond this are left out. */
const MAX_CAUSES = 5

/** What a log line says of an error, its causes and the errors that it gathers. Other values stay as they are. */
export function serializeError(error: unknown, withStack: boolean, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const serialize = (inner: unknown) => serializeError(inner, withStack, depth + 1)
  const code: unknown = 'code' in error ? error.code : undefined
  const deeper = depth < MAX_CAUSES
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    message: error.message,
    ...(error instanceof CodedError && error.internal !== undefined && { internal: error.internal }),
    ...(withStack && error.stack !== undefined && { stack: error.stack }),
    ...(deeper && error.cause !== undefined && { cause: serialize(error.cause) }),
    ...(deeper && error instanceof AggregateError && { errors: error.errors.map(serialize) }),
  } satisfies SerializedError
}
