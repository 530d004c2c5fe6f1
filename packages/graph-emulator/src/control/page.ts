import { escapeHtml, htmlPage } from '../dialog/html.ts'
import { CONTROL_FUNCTIONS } from './functions.ts'

const SCRIPT = `
const form = document.querySelector('form')
const show = () => { document.querySelector('#about').textContent = form.name.selectedOptions[0].title }
form.name.addEventListener('change', show)
show()
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch('/' + form.name.value, { method: 'POST', headers, body: form.input.value || '{}' })
  document.querySelector('pre').textContent = JSON.stringify(await answer.json(), null, 2)
})
`

/** Calls the functions by hand. */
export function controlPage(): string {
  const options = Object.entries(CONTROL_FUNCTIONS)
    .map(([name, { about }]) => `<option value="${name}" title="${escapeHtml(about)}">${name}</option>`)
    .join('\n')
  return htmlPage(
    'Control of the emulator',
    `<form>
<label for="name">Function</label>
<select id="name" name="name">
${options}
</select>
<p id="about"></p>
<label for="input">Input (JSON)</label>
<textarea id="input" name="input" rows="5">{}</textarea>
<button class="main">Call</button>
</form>
<pre></pre>
<script type="module">${SCRIPT}</script>`,
  )
}
