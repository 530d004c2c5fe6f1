import { randomBytes } from 'node:crypto'
import { RATE_LIMIT_BYPASS } from './messages.ts'

export interface PdsAccount {
  readonly did: string
  readonly handle: string
  readonly email: string
  readonly password: string
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** An answer as it came. `body` is parsed JSON where it is JSON, else the text. */
export interface PdsAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  readonly headers: Headers
}

export interface PdsClient {
  /** New accounts user1.test, user2.test…, at most 8 at once (about 28 a second). */
  createAccounts(count: number): Promise<PdsAccount[]>
  /** A new app password of this account. */
  createAppPassword(account: PdsAccount): Promise<string>
  /** Revokes every session of the account. Returns the account with its new password. */
  changePassword(account: PdsAccount): Promise<PdsAccount>
  deactivate(account: PdsAccount): Promise<void>
  activate(account: PdsAccount): Promise<void>
  deleteAccount(did: string): Promise<void>
  readonly admin: { takedown(did: string): Promise<void>; untakedown(did: string): Promise<void> }
  /** com.atproto.server.createSession, the answer whatever it is. `identifier` is a handle or DID. */
  createSession(identifier: string, password: string): Promise<PdsAnswer>
  /** com.atproto.server.getSession, the answer whatever it is: 200 if the access token works. */
  getSession(accessToken: string): Promise<PdsAnswer>
  /** com.atproto.server.refreshSession, the answer whatever it is. It spends the token. */
  refreshSession(refreshToken: string): Promise<PdsAnswer>
}

const CONCURRENCY = 8

export function pdsClient(url: string, adminPassword: () => string): PdsClient {
  const call = async (
    method: 'GET' | 'POST',
    name: string,
    headers: Record<string, string>,
    body?: object,
  ): Promise<PdsAnswer> => {
    const answer = await fetch(`${url}/xrpc/${name}`, {
      method,
      headers: body ? { ...headers, 'content-type': 'application/json' } : headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: answer.status, body: parse(await answer.text()), headers: answer.headers }
  }
  /** A call that sets the stage: not rate limited, and it must succeed. */
  const must = async (name: string, body: object, authorization?: string) => {
    const headers = { 'x-ratelimit-bypass': RATE_LIMIT_BYPASS, ...(authorization ? { authorization } : {}) }
    const answer = await call('POST', name, headers, body)
    if (answer.status !== 200) throw new Error(`${name} answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  /** A fresh login: the account's own access token may have expired by a moved clock. */
  const login = async ({ did, password }: PdsAccount) => {
    const session = await must('com.atproto.server.createSession', { identifier: did, password })
    return bearer(session.accessJwt)
  }
  const asAdmin = (name: string, body: object) =>
    must(name, body, `Basic ${Buffer.from(`admin:${adminPassword()}`).toString('base64')}`)
  const setTakedown = (did: string, applied: boolean) =>
    asAdmin('com.atproto.admin.updateSubjectStatus', {
      subject: { $type: 'com.atproto.admin.defs#repoRef', did },
      takedown: { applied },
    })

  let made = 0
  const createAccount = async (number: number): Promise<PdsAccount> => {
    const login = { handle: `user${number}.test`, email: `user${number}@example.com`, password: newPassword() }
    const { did, accessJwt, refreshJwt } = await must('com.atproto.server.createAccount', login)
    return { did, ...login, accessJwt, refreshJwt }
  }

  return {
    async createAccounts(count) {
      const first = made + 1
      made += count
      const accounts: PdsAccount[] = []
      const workers = Array.from({ length: CONCURRENCY }, async (_, worker) => {
        for (let index = worker; index < count; index += CONCURRENCY)
          accounts[index] = await createAccount(first + index)
      })
      await Promise.all(workers)
      return accounts
    },
    async createAppPassword(account) {
      const name = randomBytes(6).toString('hex')
      return (await must('com.atproto.server.createAppPassword', { name }, await login(account))).password
    },
    async changePassword(account) {
      const password = newPassword()
      await asAdmin('com.atproto.admin.updateAccountPassword', { did: account.did, password })
      return { ...account, password }
    },
    async deactivate(account) {
      await must('com.atproto.server.deactivateAccount', {}, await login(account))
    },
    async activate(account) {
      const answer = await call('POST', 'com.atproto.server.activateAccount', { authorization: await login(account) })
      if (answer.status !== 200) throw new Error(`activateAccount answered ${answer.status}`)
    },
    async deleteAccount(did) {
      await asAdmin('com.atproto.admin.deleteAccount', { did })
    },
    admin: {
      takedown: (did) => setTakedown(did, true),
      untakedown: (did) => setTakedown(did, false),
    },
    createSession: (identifier, password) =>
      call('POST', 'com.atproto.server.createSession', {}, { identifier, password }),
    getSession: (token) => call('GET', 'com.atproto.server.getSession', { authorization: bearer(token) }),
    refreshSession: (token) => call('POST', 'com.atproto.server.refreshSession', { authorization: bearer(token) }),
  }
}

const bearer = (token: string) => `Bearer ${token}`

const newPassword = () => randomBytes(12).toString('hex')

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
