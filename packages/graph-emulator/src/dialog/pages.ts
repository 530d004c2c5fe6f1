import type { Page, User } from '../state/model.ts'
import { BASIC } from '../state/permissions.ts'
import { checkbox, escapeHtml, hiddenFields, htmlPage } from './html.ts'
import type { DialogRequest } from './request.ts'

export function loginPage(path: string, next: string, trouble?: string): string {
  return htmlPage(
    'Log in',
    `${trouble === undefined ? '' : `<p role="alert">${escapeHtml(trouble)}</p>`}
<form method="post" action="${path}">
${hiddenFields({ next })}
<label for="email">Email</label>
<input id="email" name="email" type="text" autocomplete="username" required autofocus>
<label for="pass">Password</label>
<input id="pass" name="pass" type="password" autocomplete="current-password" required>
<button class="main">Log in</button>
</form>`,
  )
}

interface ConsentPage {
  readonly request: DialogRequest
  readonly user: User
  /** Pages to choose from; empty where the app asks for nothing about Pages. */
  readonly pages: readonly Page[]
  readonly action: string
  readonly otherLogin: string
}

export function consentPage({ request, user, pages, action, otherLogin }: ConsentPage): string {
  const { app, redirectUri, state, scopes } = request
  const hidden = {
    client_id: app.id,
    redirect_uri: redirectUri,
    scope: scopes.join(','),
    ...(state === undefined ? {} : { state }),
  }
  const choosePages =
    pages.length === 0
      ? ''
      : `<fieldset><legend>Pages</legend>
${pages.map((page) => checkbox('page', page.id, page.name)).join('\n')}
</fieldset>`
  return htmlPage(
    `${app.name} asks for access`,
    `<p>Logged in as <b>${escapeHtml(user.name)}</b>. <a href="${escapeHtml(otherLogin)}">Not you?</a></p>
<form method="post" action="${action}">
${hiddenFields(hidden)}
<fieldset><legend>Permissions</legend>
${scopes.map((scope) => checkbox('permission', scope, scope, scope === BASIC[app.family])).join('\n')}
</fieldset>
${choosePages}
<button class="main" name="decision" value="continue">Continue as ${escapeHtml(user.name)}</button>
<button name="decision" value="cancel">Cancel</button>
</form>`,
  )
}

export function errorPage(message: string): string {
  return htmlPage('Something went wrong', `<p role="alert">${escapeHtml(message)}</p>`)
}
