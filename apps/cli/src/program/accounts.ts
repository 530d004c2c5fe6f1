import { ACCOUNT_STATUSES, PLATFORMS } from '@tokenkeeper/core'
import { type Command, Option } from 'commander'
import { FILE_FORMATS } from '../accounts/formats.ts'
import { addImportCommand } from './import.ts'
import { examples, type Run, wholeNumber } from './run.ts'

export function addAccountCommands(program: Command, run: Run): void {
  const accounts = program.command('accounts').description('connect, list, operate, import and export accounts')
  addAddCommands(accounts, run)
  addListCommands(accounts, run)
  addOperateCommands(accounts, run)
  addImportCommand(accounts, run)
  filtered(accounts.command('export').description('write all accounts to stdout or a file, without their secrets'))
    .addOption(new Option('--format <format>', 'of the lines').choices(FILE_FORMATS).default('ndjson'))
    .option('--output <file>', 'write to this file, readable to you alone')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper accounts export > accounts.ndjson': 'one JSON object a line, as in accounts list --json',
        'tokenkeeper accounts export --format csv --status needs_reconnect': 'whom to write to',
      }),
    )
    .action(run(async () => (await import('../commands/export-accounts.ts')).exportAccounts))
}

function addAddCommands(accounts: Command, run: Run): void {
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
  for (const platform of ['meta', 'instagram', 'threads'] as const) {
    const command = add
      .command(platform)
      .description(`connect an account of ${NAMES[platform]} by a token of its user, short- or long-lived`)
      .option('--token-stdin', 'read the token from stdin instead of asking for it')
      .option('--owner <id>', 'whose account it is', 'default')
      .option('--json', 'print the account as JSON')
      .addHelpText(
        'after',
        examples({ [`tokenkeeper accounts add ${platform} --token-stdin < secret`]: 'for scripts' }),
      )
      .action(run(async () => (await import('../commands/add-token.ts')).addToken(platform)))
    if (platform === 'meta') command.option('--system-user', 'the token is that of a system user of a business')
  }
}

/** As it stands in examples. */
const ID = '6501a9a4f0e1d2c3b4a59687'

const NAMES = { meta: 'Facebook', instagram: 'Instagram', threads: 'Threads' } as const

function addListCommands(accounts: Command, run: Run): void {
  filtered(accounts.command('list').description('show the accounts'))
    .option('--json', 'print them as one JSON array')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper accounts list --status needs_reconnect': 'who has to connect again',
        'tokenkeeper accounts list --platform meta --limit 20': 'the first twenty of a platform',
      }),
    )
    .action(run(async () => (await import('../commands/list-accounts.ts')).listAccounts))
  accounts
    .command('show')
    .description('show all that is known of an account, and its Pages; no secrets')
    .argument('<id>', 'id of the account')
    .option('--sandbox', 'one of the sandbox')
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples({ [`tokenkeeper accounts show ${ID}`]: 'its status, its times, its Pages' }))
    .action(run(async () => (await import('../commands/show-account.ts')).showAccount))
}

function addOperateCommands(accounts: Command, run: Run): void {
  accounts
    .command('pause')
    .description('refresh them no more, until they are resumed; their tokens go on working until they end')
    .argument('<ids...>', 'ids of the accounts')
    .option('--json', 'print what became of each as JSON')
    .addHelpText('after', examples({ [`tokenkeeper accounts pause ${ID}`]: 'before its user is asked something' }))
    .action(run(async () => (await import('../commands/operate-accounts.ts')).pauseAccounts))
  accounts
    .command('resume')
    .description('keep paused accounts alive again')
    .argument('<ids...>', 'ids of the accounts')
    .option('--json', 'print what became of each as JSON')
    .addHelpText('after', examples({ [`tokenkeeper accounts resume ${ID}`]: 'it falls due when it would have' }))
    .action(run(async () => (await import('../commands/operate-accounts.ts')).resumeAccounts))
  accounts
    .command('remove')
    .description('log out at the provider and forget the accounts; asks first')
    .argument('<ids...>', 'ids of the accounts')
    .option('--yes', 'do not ask')
    .option('--json', 'print what became of each as JSON')
    .addHelpText('after', examples({ [`tokenkeeper accounts remove --yes ${ID}`]: 'for scripts' }))
    .action(run(async () => (await import('../commands/operate-accounts.ts')).removeAccounts))
}

/** The options that choose accounts. */
function filtered(command: Command): Command {
  return command
    .addOption(new Option('--platform <platform>', 'only those of it').choices(PLATFORMS))
    .addOption(new Option('--status <status>', 'only those in it').choices(ACCOUNT_STATUSES))
    .option('--owner <id>', 'only those of this owner')
    .option('--limit <count>', 'how many at most', wholeNumber)
    .option('--sandbox', 'those of the sandbox')
}
