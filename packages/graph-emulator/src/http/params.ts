import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { GraphError } from '../errors/graph-error.ts'

/** Parameters that nobody should find in a log. */
const SECRET = ['access_token', 'input_token', 'fb_exchange_token', 'revoke_token', 'client_secret', 'code', 'password']
const TOKENS = new Set(['access_token', 'input_token', 'fb_exchange_token', 'revoke_token'])

export type Params = Readonly<Record<string, string>>

export interface ReadParams {
  readonly params: Params
  readonly tokens: readonly string[]
  /** Names of secret parameters that came in the URL, where proxies and logs see them. */
  readonly secretsInUrl: readonly string[]
}

/** Query, form or JSON body, and `Authorization: Bearer`, as Meta takes them all. Of a repeated name the last counts. */
export function readParams(request: FastifyRequest): ReadParams {
  const inUrl = flat(request.query)
  const bearer = /^(?:Bearer|OAuth) (\S+)$/.exec(request.headers.authorization ?? '')?.[1]
  const params = {
    ...(bearer === undefined ? {} : { access_token: bearer }),
    ...inUrl,
    ...flat(request.body),
  }
  return {
    params,
    tokens: Object.entries(params).flatMap(([name, value]) => (TOKENS.has(name) && value !== '' ? [value] : [])),
    secretsInUrl: SECRET.filter((name) => name in inUrl),
  }
}

/** @throws GraphError if it cannot be read */
export async function parseMultipart(type: string, body: Buffer): Promise<Record<string, unknown>> {
  const form = new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  return Object.fromEntries(
    await form.catch(() => {
      throw new GraphError('invalid_parameter', { what: 'The form cannot be read' })
    }),
  )
}

/** SHA-256 in hex: names a token without holding it. */
export function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function flat(source: unknown): Record<string, string> {
  if (source === null || typeof source !== 'object') return {}
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => {
      const last: unknown = Array.isArray(value) ? value.at(-1) : value
      return [name, typeof last === 'string' ? last : JSON.stringify(last)]
    }),
  )
}
