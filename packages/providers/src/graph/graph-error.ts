import { z } from 'zod'

/** An error as Meta tells it; null = not told. */
export interface GraphError {
  readonly code: number | null
  readonly subcode: number | null
  readonly type: string | null
  readonly message: string
  readonly transient: boolean | null
}

const number = z
  .union([z.number(), z.string().regex(/^\d+$/).transform(Number)])
  .nullish()
  .catch(null)
const text = z.string().nullish().catch(null)

/** Each field by itself: one that cannot be read must not hide the others. `subcode`: so named in debug_token. */
const errorSchema = z.object({
  code: number,
  error_subcode: number,
  subcode: number,
  type: text,
  message: text,
  is_transient: z.boolean().nullish().catch(null),
})

/**
 * Instagram's OAuth (`error_type`, `error_message`, and a `code` that only repeats the HTTP status), Threads
 * (`error_message`, `error_code`), older endpoints (`error_code`, `error_msg`).
 */
const flatSchema = z.object({ error_code: number, error_type: text, error_message: text, error_msg: text })

/** The error in a parsed body, whatever the HTTP status; null if it tells of none. */
export function readGraphError(body: unknown): GraphError | null {
  if (typeof body !== 'object' || body === null) return null
  if ('error' in body && body.error !== null) return readNestedError(body.error)
  const { data: flat } = flatSchema.safeParse(body)
  if (!flat) return null
  const message = flat.error_message ?? flat.error_msg ?? null
  const code = flat.error_code ?? null
  const type = flat.error_type ?? null
  if (code === null && type === null && message === null) return null
  return { code, subcode: null, type, message: message ?? '', transient: null }
}

function readNestedError(error: unknown): GraphError {
  const { data } = errorSchema.safeParse(error)
  if (!data) return { code: null, subcode: null, type: null, message: String(error), transient: null }
  return {
    code: data.code ?? null,
    subcode: data.error_subcode ?? data.subcode ?? null,
    type: data.type ?? null,
    message: data.message ?? '',
    transient: data.is_transient ?? null,
  }
}
