import { SECTIONS } from './variable.ts'
import { type VariableInfo, variableList } from './variables.ts'

/** docs/configuration.md */
export function renderConfigurationPage(): string {
  return `# Configuration

<!-- Written by \`node packages/config/src/write-docs.ts\` from packages/config/src/variables.ts. -->

Tokenkeeper is configured by environment variables, and by a \`.env\` file in the directory that it is started in
(\`.env.example\` is one to copy). A variable of the real environment wins over the file; blanks around a value are
ignored, and an empty one counts as not set. In the file, a value that holds \`#\` or blanks at its ends goes into quotes. With nothing configured at all,
\`start\` runs the sandbox.

Mistakes are reported all at once when a process starts (\`CONFIG_INVALID\`), each with the name of its variable and how
to mend it. A variable whose name looks like a slip of the pen is warned about.

**Secrets** are marked below. They are never printed. Instead of each, \`<name>_FILE\` may name a file that holds it, as
container platforms provide them.

${SECTIONS.map(renderSection).join('\n')}`
}

function renderSection(section: string): string {
  const rows = variableList.filter((variable) => variable.section === section).map(renderRow)
  return `## ${section}

| Variable | Default | Value | Meaning |
|---|---|---|---|
${rows.join('\n')}
`
}

function renderRow(variable: VariableInfo): string {
  const name = `\`${variable.name}\`${variable.secret ? ' (secret)' : ''}`
  return `| ${[name, renderDefault(variable), variable.form, variable.description].map(escapeCell).join(' | ')} |`
}

function renderDefault({ default: fallback, otherwise }: VariableInfo): string {
  return fallback ? `\`${fallback}\`` : (otherwise ?? 'none')
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** .env.example */
export function renderEnvExample(): string {
  const sections = SECTIONS.map((section) => {
    const variables = variableList.filter((variable) => variable.section === section)
    return [`# --- ${section} ---`, ...variables.map(renderExample)].join('\n\n')
  })
  return `# Copy to .env and change what you need. docs/configuration.md tells more.

${sections.join('\n\n')}
`
}

function renderExample({ name, description, form, default: fallback, otherwise }: VariableInfo): string {
  const lines = [
    `# ${description.replaceAll('`', '')}`,
    `# Value: ${form}.${otherwise ? ` Default: ${otherwise}.` : ''}`,
  ]
  return [...lines, `#${name}=${fallback?.includes(' ') ? `"${fallback}"` : (fallback ?? '')}`].join('\n')
}
