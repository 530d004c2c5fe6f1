import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { mintCode } from '../state/codes.ts'
import { consent } from '../state/grants.ts'
import type { Family, Page, User } from '../state/model.ts'
import { isAboutPages } from '../state/permissions.ts'
import type { World } from '../state/world.ts'
import { consentPage, errorPage, loginPage } from './pages.ts'
import { DialogError, type DialogRequest, readDialogRequest, redirectBack } from './request.ts'

/** As at Meta, but for Instagram's and Threads' login, which stand elsewhere. */
const PATHS: Record<Family, { dialog: string; login: string }> = {
  facebook: { dialog: '/dialog/oauth', login: '/login.php' },
  instagram: { dialog: '/oauth/authorize', login: '/accounts/login' },
  threads: { dialog: '/oauth/authorize', login: '/login' },
}

/** Login and consent: plain forms, no scripts. */
export function dialogRoutes(app: FastifyInstance, family: Family, world: World): void {
  const { dialog, login } = PATHS[family]
  // Cookies do not keep ports apart.
  const cookieName = `${family}_session`

  app.get(dialog, async (request, reply) => {
    await showing(reply, async () => {
      const asked = readDialogRequest(request.call)
      const here = request.originalUrl
      const user = sessionUser(request)
      const loginUrl = `${login}?${new URLSearchParams({ next: here })}`
      if (user === undefined) return reply.redirect(loginUrl)
      const pages = asked.scopes.some(isAboutPages) ? pagesOf(world, user) : []
      const action = here.split('?')[0]!
      return html(reply, 200, consentPage({ request: asked, user, pages, action, otherLogin: loginUrl }))
    })
    return reply
  })

  app.post(dialog, async (request, reply) => {
    await showing(reply, async () => {
      const asked = readDialogRequest(request.call)
      const user = sessionUser(request)
      if (user === undefined) throw new DialogError('You are not logged in any more.')
      return reply.redirect(decide(world, asked, user, request.body as Record<string, string | string[]>))
    })
    return reply
  })

  app.get(login, async ({ call }, reply) => html(reply, 200, loginPage(login, localPath(call.params.next))))

  app.post(login, async ({ call }, reply) => {
    const { email, pass } = call.params
    const next = localPath(call.params.next)
    const user = [...world.users.values()].find((one) => one.family === family && one.email === email)
    if (user === undefined || user.systemUser || user.password !== pass) {
      return html(reply, 401, loginPage(login, next, 'The email or the password is wrong.'))
    }
    const session = randomBytes(24).toString('base64url')
    world.sessions.set(session, { userId: user.id, passwordGeneration: user.passwordGeneration })
    reply.setCookie(cookieName, session, { path: '/', httpOnly: true, sameSite: 'lax' })
    return reply.redirect(next)
  })

  function sessionUser(request: FastifyRequest): User | undefined {
    const session = world.sessions.get(request.cookies[cookieName] ?? '')
    const user = world.users.get(session?.userId ?? '')
    return user?.passwordGeneration === session?.passwordGeneration ? user : undefined
  }
}

/** What the person chose, as the address to go back to. */
function decide(world: World, asked: DialogRequest, user: User, form: Record<string, string | string[]>): string {
  if (form.decision !== 'continue') {
    return redirectBack(asked, {
      error: 'access_denied',
      error_code: '200',
      error_description: 'Permissions error',
      error_reason: 'user_denied',
    })
  }
  const chosen = list(form.permission)
  const granted = asked.scopes.filter((scope) => chosen.includes(scope))
  const declined = asked.scopes.slice(1).filter((scope) => !chosen.includes(scope))
  const pages = list(form.page)
  // All that were offered: then also those of later.
  const isAll = pages.length === pagesOf(world, user).length
  const grant = consent(world, asked.app, user, { granted, declined, ...(isAll ? {} : { pages }) })
  return redirectBack(asked, { code: mintCode(world, asked.app, user, grant, asked.redirectUri) })
}

async function showing(reply: FastifyReply, show: () => Promise<unknown>): Promise<void> {
  try {
    await show()
  } catch (error) {
    if (!(error instanceof DialogError)) throw error
    html(reply, 400, errorPage(error.message))
  }
}

function html(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(page)
}

function pagesOf(world: World, user: User): Page[] {
  return [...user.roles.keys()].flatMap((id) => world.pages.get(id) ?? [])
}

/** Never to another host. */
function localPath(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/'
}

function list(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : [value].flat()
}
