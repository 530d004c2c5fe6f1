export interface ClickThroughOptions {
  readonly email: string
  readonly password: string
  /** Permissions to untick. */
  readonly decline?: readonly string[]
  /** Pages to leave ticked; default all. */
  readonly pages?: readonly string[]
  readonly cancel?: boolean
}

const CHECKBOX = /<input type="checkbox" name="(permission|page)" value="([^"]*)" checked>/g
const HIDDEN = /<input type="hidden" name="([^"]*)" value="([^"]*)">/g
const ALERT = /role="alert">([^<]*)/

/**
 * Does over HTTP what a person does at the emulator's dialog: logs in, and continues or cancels. Gives the address
 * that the browser is sent to, with code and state, or error; nobody opens it.
 * @throws Error with the dialog's words if it refuses
 */
export async function clickThrough(authorizeUrl: string, options: ClickThroughOptions): Promise<string> {
  const { email, password, decline = [], pages, cancel = false } = options
  const loginUrl = locationOf(await send(authorizeUrl), authorizeUrl)
  const next = new URL(loginUrl).searchParams.get('next') ?? '/'
  const login = await send(loginUrl, '', new URLSearchParams({ next, email, pass: password }))
  const dialogUrl = locationOf(login, loginUrl)
  const cookie = login.headers.getSetCookie()[0]!.split(';')[0]!

  const dialog = await send(dialogUrl, cookie)
  const decision = new URLSearchParams({ decision: cancel ? 'cancel' : 'continue' })
  for (const [, name, value] of dialog.text.matchAll(HIDDEN)) decision.set(decodeHtml(name!), decodeHtml(value!))
  for (const [, name, value] of dialog.text.matchAll(CHECKBOX)) {
    const isKept = name === 'permission' ? !decline.includes(value!) : (pages?.includes(value!) ?? true)
    if (isKept) decision.append(name!, value!)
  }
  return locationOf(await send(dialogUrl, cookie, decision), dialogUrl)
}

async function send(url: string, cookie = '', body?: URLSearchParams) {
  const post = body === undefined ? {} : { method: 'POST', body }
  const response = await fetch(url, { ...post, headers: { cookie }, redirect: 'manual' })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

function locationOf({ status, headers, text }: Awaited<ReturnType<typeof send>>, from: string): string {
  const location = headers.get('location')
  if (location === null) throw new Error(`The dialog refused (${status}): ${decodeHtml(ALERT.exec(text)?.[1] ?? text)}`)
  return new URL(location, from).href
}

function decodeHtml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
