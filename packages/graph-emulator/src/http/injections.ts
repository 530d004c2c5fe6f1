import { GraphError } from '../errors/graph-error.ts'
import type { ErrorName } from '../errors/table.ts'
import type { Family } from '../state/model.ts'
import { pacificTime } from '../state/token-fault.ts'
import type { World } from '../state/world.ts'
import { digest, type Params } from './params.ts'

/** What is answered instead. In strings, `{token}` stands for the token presented. */
export interface RawAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A string goes out as it is; anything else as JSON. */
  readonly body: unknown
}

export interface Injection {
  readonly id: number
  readonly host: Family | undefined
  readonly method: string | undefined
  /** Matches the path without its version. */
  readonly path: RegExp | undefined
  readonly appId: string | undefined
  readonly userId: string | undefined
  readonly pageId: string | undefined
  readonly tokenDigest: string | undefined
  readonly error: ErrorName | undefined
  readonly answer: RawAnswer | undefined
  /** How often still; Infinity = until removed. */
  left: number
}

export interface InjectedRequest {
  readonly host: Family
  readonly method: string
  readonly path: string
  readonly params: Params
  readonly tokens: readonly string[]
}

export interface Injections {
  add(injection: Omit<Injection, 'id'>): number
  /** False if there is none of this id. */
  remove(id: number): boolean
  clear(): void
  /** What the first that fits answers, used up by one; undefined if none does. */
  take(request: InjectedRequest): GraphError | RawAnswer | undefined
}

export function createInjections(world: World): Injections {
  let all: Injection[] = []
  let last = 0
  return {
    add(injection) {
      last += 1
      all.push({ ...injection, id: last })
      return last
    },
    remove(id) {
      const before = all.length
      all = all.filter((one) => one.id !== id)
      return all.length < before
    },
    clear() {
      all = []
    },
    take(request) {
      const owners = request.tokens.map((value) => world.tokens.get(value))
      const injection = all.find((one) => fits(one, request, owners))
      if (injection === undefined) return undefined
      injection.left -= 1
      all = all.filter(({ left }) => left > 0)
      return answerOf(injection, request, owners[0], world.now())
    },
  }
}

function answerOf({ answer, error }: Injection, request: InjectedRequest, owner: Owner, at: number) {
  const { path, method, params, tokens } = request
  const token = tokens[0] ?? ''
  if (answer !== undefined) return repeatToken(answer, token)
  return new GraphError(error!, {
    token,
    app: params.client_id ?? owner?.appId ?? '',
    user: owner?.userId ?? '',
    path,
    id: path.split('/')[1] ?? '',
    method: method.toLowerCase(),
    expired: pacificTime(at),
    now: pacificTime(at),
    permission: 'pages_show_list',
    what: 'Invalid parameter',
  })
}

type Owner =
  | { readonly appId: string; readonly userId: string | undefined; readonly pageId: string | undefined }
  | undefined

function fits(one: Injection, request: InjectedRequest, owners: readonly Owner[]): boolean {
  const owned = (what: 'appId' | 'userId' | 'pageId') => owners.some((owner) => owner?.[what] === one[what])
  return (
    (one.host === undefined || one.host === request.host) &&
    (one.method === undefined || one.method === request.method) &&
    (one.path === undefined || one.path.test(request.path)) &&
    (one.appId === undefined || request.params.client_id === one.appId || owned('appId')) &&
    (one.userId === undefined || owned('userId')) &&
    (one.pageId === undefined || owned('pageId')) &&
    (one.tokenDigest === undefined || request.tokens.some((token) => digest(token) === one.tokenDigest))
  )
}

function repeatToken(answer: RawAnswer, token: string): RawAnswer {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
  return {
    ...answer,
    headers: { ...(typeof answer.body === 'string' ? {} : { 'content-type': 'application/json' }), ...answer.headers },
    body: text.replaceAll('{token}', token),
  }
}
