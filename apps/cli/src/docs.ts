import type { Command } from 'commander'
import { JSON_OF } from './json/index.ts'
import { createProgram } from './program.ts'
import { shapeOf } from './shape.ts'

/** docs/cli.md: everything that the program says of itself, and the JSON of each command. */
export function renderCliPage(): string {
  const program = createProgram(() => {})
  return `# The command line

<!-- Written by \`node apps/cli/src/write-docs.ts\` from the program itself. -->

\`pnpm tokenkeeper COMMAND\` in the checkout, or \`bin/tokenkeeper COMMAND\` from anywhere. Every command has \`--help\`, with
examples. Tables fit the terminal; colours and progress bars are for terminals alone (\`NO_COLOR\` turns colours off).

**\`--json\`** prints one JSON value in the last line of stdout and everything else to stderr. Fields are added, not renamed
or removed; times are ISO 8601 in UTC. An error is \`{"error":{"code":…,"message":…}}\`. The codes are stable.

| exit code | means |
|---|---|
| 0 | It was done, and all is well. |
| 1 | It was not done, or not all is well: a refresh failed, a check did not pass, two databases differ. |
| 2 | It was called wrongly: an unknown option, a bad value, a mistake in the configuration. |
| 130 | It was interrupted. |

**Completion**: \`source <(tokenkeeper completion bash)\`; also for zsh, fish and PowerShell.

${commandsOf(program)
  .map(([name, command]) => renderCommand(name, command))
  .join('\n')}`
}

/** Commands that do something, by their whole names; not those that only hold others. */
export function commandsOf(parent: Command, prefix = ''): [string, Command][] {
  return parent.commands
    .filter((command) => !FROM_LIBRARIES.includes(command.name()))
    .flatMap((command) => {
      const name = `${prefix}${command.name()}`
      return command.commands.length === 0 ? [[name, command]] : commandsOf(command, `${name} `)
    })
}

const FROM_LIBRARIES = ['help', 'completion', 'complete']

function renderCommand(name: string, command: Command): string {
  const schema = JSON_OF[name]
  const parts = [
    `## ${name}`,
    capitalized(command.description()),
    `\`\`\`\n${helpOf(command)}\n\`\`\``,
    ...(schema ? [`With \`--json\`:\n\n\`\`\`ts\n${shapeOf(schema)}\n\`\`\``] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

/** Usage, options and examples, as \`--help\` prints them to a wide page. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => PAGE_WIDTH })
  command.outputHelp()
  const withoutDescription = text.replace(`${command.description()}\n\n`, '')
  return withoutDescription
    .replace(/^ {2}-h, --help .*\n/m, '')
    .replace(/^Options:\n\n/m, '')
    .trim()
}

const PAGE_WIDTH = 120

const capitalized = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
