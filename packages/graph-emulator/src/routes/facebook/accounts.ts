import { GraphError } from '../../errors/graph-error.ts'
import { authenticate } from '../../http/authenticate.ts'
import type { Call } from '../../http/host.ts'
import { isListed } from '../../state/permissions.ts'
import { pickFields } from './fields.ts'
import { ownUser, pageNode } from './nodes.ts'

const DEFAULT_LIMIT = 25
const MOST = 100
const DEFAULT_FIELDS = ['access_token', 'category', 'category_list', 'name', 'id', 'tasks']

/**
 * `/{user-id}/accounts`. As at Meta the list is cut into pages first and then filtered by what may be seen, so that a
 * page may be short or empty while `next` is there. `next` holds the access token.
 */
export function accounts(call: Call, id: string) {
  const { world, params } = call
  const token = authenticate(call, 'token_missing')
  if (token.kind === 'page') {
    throw new GraphError('invalid_parameter', {
      what: 'Tried accessing nonexisting field (accounts) on node type (Page)',
    })
  }
  const { user, grant } = ownUser(call, token, id)
  const ids = [...user.roles.keys()].filter((pageId) => world.pages.has(pageId))
  const { from, to } = window(ids, params)
  const data = ids
    .slice(from, to)
    .map((pageId) => world.pages.get(pageId)!)
    .filter((page) => isListed(grant, page))
    .map((page) => pickFields('Page', pageNode(call, token, user, grant, page), params.fields, DEFAULT_FIELDS))
  if (from >= to) return { data }

  const { appsecret_proof: _, appsecret_time: __, after: ___, before: ____, ...same } = params
  const link = (cursor: Record<string, string>) =>
    `${call.base}/${call.version}/${user.id}/accounts?${new URLSearchParams({ ...same, ...cursor })}`
  const before = cursorOf(from, ids)
  const after = cursorOf(to - 1, ids)
  return {
    data,
    paging: {
      cursors: { before, after },
      ...(to < ids.length ? { next: link({ after }) } : {}),
      ...(from > 0 ? { previous: link({ before }) } : {}),
    },
  }
}

/** Which part of the list is asked for. */
function window(ids: readonly string[], { limit: given, after, before }: Call['params']): { from: number; to: number } {
  const limit = Math.min(MOST, given === undefined ? DEFAULT_LIMIT : Number(given))
  if (!Number.isInteger(limit) || limit < 1) {
    throw new GraphError('invalid_parameter', { what: 'param limit must be a positive number' })
  }
  if (before !== undefined) {
    const to = position(before, ids)
    return { from: Math.max(0, to - limit), to }
  }
  const from = after === undefined ? 0 : position(after, ids) + 1
  return { from, to: Math.min(ids.length, from + limit) }
}

function cursorOf(index: number, ids: readonly string[]): string {
  return Buffer.from(`${index}:${ids[index]}`).toString('base64url')
}

/** Where the cursor's Page stands now; where it stood, if it is gone. */
function position(cursor: string, ids: readonly string[]): number {
  const [, index, id] = /^(\d+):(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (index === undefined || id === undefined) throw new GraphError('cursor_invalid')
  const now = ids.indexOf(id)
  // Those after it have moved up by one.
  return now === -1 ? Number(index) - 1 : now
}
