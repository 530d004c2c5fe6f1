import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addKeyCommands(program: Command, run: Run): void {
  const keys = program.command('keys').description('look after the keys that seal credentials')
  keys
    .command('status', { isDefault: true })
    .description('show what each key seals, and which may be dropped; exit 1 if one that is in use is missing')
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples({ 'tokenkeeper keys status': 'before a key is taken out of TOKEN_ENCRYPTION_KEYS' }))
    .action(run(async () => (await import('../commands/keys.ts')).showKeyStatus))
  keys
    .command('rotate')
    .description(
      'seal everything with the first key of TOKEN_ENCRYPTION_KEYS, while workers go on; continues when called again',
    )
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', examples({ 'tokenkeeper keys rotate': 'after a new key was put first, everywhere' }))
    .action(run(async () => (await import('../commands/keys.ts')).rotateKeys))
}
