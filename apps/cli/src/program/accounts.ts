import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addAccountCommands(program: Command, run: Run): void {
  const accounts = program.command('accounts').description('connect, list and remove accounts')
  const add = accounts.command('add').description('connect an account')
  add
    .command('bluesky')
    .description('connect a Bluesky account by its handle and an app password')
    .option('--handle <handle>', 'handle or DID (asked for if not given)')
    .option('--app-password-stdin', 'read the app password from stdin instead of asking for it')
    .option('--service <url>', 'log in at this host instead of where the handle points')
    .option('--owner <id>', 'whose account it is', 'default')
    .option('--keep-app-password', 'keep it, sealed, to log in again should the session ever be lost')
    .option('--json', 'print the account as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper accounts add bluesky': 'asks for handle and app password',
        'tokenkeeper accounts add bluesky --handle ada.example --app-password-stdin < secret': 'for scripts',
      }),
    )
    .action(run(async () => (await import('../commands/add-bluesky.ts')).addBluesky))
  accounts
    .command('list')
    .description('show all accounts')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .action(run(async () => (await import('../commands/list-accounts.ts')).listAccounts))
  accounts
    .command('remove')
    .description('log out at the provider and forget the account')
    .argument('<id>', 'id of the account')
    .action(run(async () => (await import('../commands/remove-account.ts')).removeAccount))
}
