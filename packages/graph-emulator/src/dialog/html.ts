const STYLE = `
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f0f2f5; color: #1c1e21;
  font: 16px/1.5 system-ui, sans-serif }
main { width: 26rem; padding: 2rem; background: #fff; border-radius: 12px; box-shadow: 0 2px 12px #0002 }
h1 { margin: 0 0 1rem; font-size: 1.25rem }
label { display: block; margin: .25rem 0 }
input[type=text], input[type=password], textarea, select { width: 100%; box-sizing: border-box; padding: .6rem; font: inherit }
fieldset { margin: 1rem 0; border: 1px solid #ccd0d5; border-radius: 6px }
button { margin-top: 1rem; padding: .6rem 1.2rem; font: inherit; border-radius: 6px; border: 1px solid #1b74e4; cursor: pointer }
button.main { color: #fff; background: #1b74e4 }
small { color: #65676b } [role=alert] { color: #b3261e } pre { white-space: pre-wrap; word-break: break-all }
`

export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
<p><small>Graph emulator: nothing here is Meta's.</small></p>
</main>
</body>
</html>
`
}

export function hiddenFields(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('\n')
}

export function checkbox(name: string, value: string, label: string, disabled = false): string {
  const locked = disabled ? ' disabled' : ''
  return `<label><input type="checkbox" name="${name}" value="${escapeHtml(value)}" checked${locked}> ${escapeHtml(label)}</label>`
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
