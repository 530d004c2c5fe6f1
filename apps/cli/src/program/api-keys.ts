import { API_ROLES } from '@tokenkeeper/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples, type Run } from './run.ts'

export function addApiKeyCommands(program: Command, run: Run): void {
  const apiKeys = program.command('api-keys').description('make, list and revoke keys to the API and to Bull Board')
  apiKeys
    .command('create')
    .description('make a key; it is shown once')
    .requiredOption('--name <name>', 'whose key it is, or what for', keyName)
    .addOption(
      new Option('--role <role>', 'viewer: look; operator: refresh, retry, pause; admin: everything')
        .choices(API_ROLES)
        .default('viewer'),
    )
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples({ 'tokenkeeper api-keys create --name board --role operator': 'for Bull Board' }))
    .action(run(async () => (await import('../commands/api-keys.ts')).createApiKey))
  apiKeys
    .command('list')
    .description('show all keys, but not themselves')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper api-keys list': 'who may use the API' }))
    .action(run(async () => (await import('../commands/api-keys.ts')).listApiKeys))
  apiKeys
    .command('revoke')
    .description('end a key, and the sessions that it opened, at once')
    .argument('<id>', 'id of the key')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examples({ 'tokenkeeper api-keys revoke 6710e8a1b2c3d4e5f6a7b8c9': 'a key that got about' }))
    .action(run(async () => (await import('../commands/api-keys.ts')).revokeApiKey))
}

function keyName(text: string): string {
  const name = text.trim()
  if (!/^[\p{L}\p{N}\p{P}\p{S} ]{1,100}$/u.test(name)) throw new InvalidArgumentError('It must have 1 to 100 letters.')
  return name
}
