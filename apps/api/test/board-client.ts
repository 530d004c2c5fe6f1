import { randomInt } from 'node:crypto'
import { type Answer, type CallOptions, call } from './world.ts'

export interface BoardSession {
  /** As a browser sends it: with the cookies, and for a change with the CSRF token that Bull Board's scripts mirror. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  readonly cookies: ReadonlyMap<string, string>
  readonly login: Answer
}

type Jar = Map<string, string>

/** An address of its own for each session: logins are limited by address. */
const anyAddress = () => `198.51.${randomInt(256)}.${randomInt(256)}`

/** Logs in as a browser does, by the form. */
export async function logIn(
  url: string,
  key: string,
  own: Readonly<Record<string, string>> = {},
): Promise<BoardSession> {
  const headers = { 'x-forwarded-for': anyAddress(), ...own }
  const cookies: Jar = new Map()
  const send = async (method: string, path: string, options: CallOptions = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await call(url, method, path, { ...options, headers: { cookie, ...headers, ...options.headers } })
    remember(answer, cookies)
    return answer
  }
  const csrf = csrfOf(await send('GET', '/queues/login', { headers: { accept: 'text/html' } }))
  const login = await send('POST', '/queues/login', form({ _csrf: csrf, key }))
  await send('GET', '/queues/', { headers: { accept: 'text/html' } })
  return {
    cookies,
    login,
    call: (method, path, options = {}) => {
      const token = cookies.get('XSRF-TOKEN')
      const mirrored = method === 'GET' || token === undefined ? {} : { 'x-xsrf-token': decodeURIComponent(token) }
      return send(method, path, { ...options, headers: { ...mirrored, ...options.headers } })
    },
  }
}

/** The hidden token of a page's form. */
export function csrfOf({ text }: Answer): string {
  return /name="_csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
}

export function form(fields: Readonly<Record<string, string>>): CallOptions {
  return {
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }
}

function remember({ headers }: Answer, jar: Jar): void {
  for (const line of headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name!)
    else jar.set(name!, value!)
  }
}
