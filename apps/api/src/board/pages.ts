const STYLE = `
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #151a21; color: #d7dde5;
  font: 16px/1.5 system-ui, sans-serif }
main { width: 22rem; padding: 2rem; background: #1f262f; border-radius: 12px }
h1 { margin: 0 0 1rem; font-size: 1.25rem }
label { display: block; margin-bottom: .25rem }
input { width: 100%; box-sizing: border-box; padding: .6rem; font: inherit; color: inherit; background: #151a21;
  border: 1px solid #4a5563; border-radius: 6px }
button { margin-top: 1rem; padding: .6rem 1.2rem; font: inherit; color: #fff; background: #2563eb; border: 0;
  border-radius: 6px; cursor: pointer }
p { margin: 0 0 1rem } a { color: #8ab4ff } [role=alert] { color: #ffb4a9 }
`

interface LoginPage {
  readonly base: string
  readonly csrf: string
  readonly trouble?: string
}

export function loginPage({ base, csrf, trouble }: LoginPage): string {
  return page(
    'Log in',
    `<h1>Tokenkeeper: queues</h1>
${trouble === undefined ? '' : `<p role="alert">${escapeHtml(trouble)}</p>`}
<form method="post" action="${base}/login">
<input type="hidden" name="_csrf" value="${escapeHtml(csrf)}">
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form>`,
  )
}

interface LogoutPage {
  readonly base: string
  readonly csrf: string
  readonly name: string
  readonly role: string
  readonly expiresAt: number
}

export function logoutPage({ base, csrf, name, role, expiresAt }: LogoutPage): string {
  return page(
    'Log out',
    `<h1>Tokenkeeper: queues</h1>
<p>Logged in by the key <b>${escapeHtml(name)}</b> as ${escapeHtml(role)}, until
${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC.</p>
<form method="post" action="${base}/logout">
<input type="hidden" name="_csrf" value="${escapeHtml(csrf)}">
<button>Log out</button>
</form>
<p><a href="${base}/">Back to the queues</a></p>`,
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Tokenkeeper</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
