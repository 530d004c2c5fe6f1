import { traceId } from '../state/ids.ts'
import type { Family } from '../state/model.ts'
import { ERROR_TABLE, type ErrorName, type ErrorRow } from './table.ts'

/** An answer that refuses, as named in the table; the values fill the placeholders of its message. */
export class GraphError extends Error {
  override name = 'GraphError'
  readonly row: ErrorRow

  constructor(name: ErrorName, values: Readonly<Record<string, string>> = {}) {
    const row: ErrorRow = ERROR_TABLE[name]
    super(row.message.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole))
    this.row = row
  }
}

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: unknown
}

/** The error as a host of the family answers it. */
export function errorAnswer(error: GraphError, family: Family): ErrorAnswer {
  const { row, message } = error
  const trace = traceId()
  return {
    status: row.status,
    headers: { 'www-authenticate': authenticateHeader(row, message), 'x-fb-trace-id': trace },
    body: errorBody(row, message, typeOf(row, family), trace),
  }
}

function errorBody(row: ErrorRow, message: string, type: string, trace: string): unknown {
  switch (row.shape) {
    case 'flat':
      return { error_code: row.code, error_msg: message, error_reason: 'unknown' }
    case 'instagram_oauth':
      return { error_type: 'OAuthException', code: row.code, error_message: message }
    case 'threads_oauth':
      return { error_message: message, error_code: row.code }
    default:
      return {
        error: {
          message,
          type,
          code: row.code,
          ...(row.subcode === undefined ? {} : { error_subcode: row.subcode }),
          ...(row.transient === undefined ? {} : { is_transient: row.transient }),
          fbtrace_id: trace,
        },
      }
  }
}

function typeOf(row: ErrorRow, family: Family): string {
  if (row.type !== undefined) return row.type
  if (row.code !== 100 || family === 'facebook') return 'OAuthException'
  return family === 'instagram' ? 'IGApiException' : 'THApiException'
}

function authenticateHeader({ code }: ErrorRow, message: string): string {
  const kind = code === 190 || code === 102 ? 'invalid_token' : code === 100 ? 'invalid_code' : 'invalid_request'
  return `OAuth "Facebook Platform" "${kind}" "${message.replace(/[^\x20-\x7e]|"/g, '?')}"`
}
