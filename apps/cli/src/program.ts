import { API_ROLES, PLATFORMS } from '@tokenkeeper/core'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { createOutput, type Output, reportError } from './output.ts'

/** What a command does; resolves to its exit code. */
type Action<Options> = (options: Options, output: Output) => Promise<number>

/** The command line. Commands are loaded when they are called, so that help comes at once. */
export function createProgram(exit: (code: number) => void): Command {
  const run =
    <Options>(load: () => Promise<Action<Options>>) =>
    async (...args: unknown[]) => {
      const command = args.at(-1) as Command
      const options = { ...command.optsWithGlobals(), ...namedArguments(command) } as Options & { json?: boolean }
      const output = createOutput({ json: options.json === true, showLog: command.name() === 'start' })
      try {
        exit(await (await load())(options, output))
      } catch (error) {
        reportError(error, output)
        const { logFailure } = await import('./log-failure.ts')
        logFailure(error)
        exit(1)
      }
    }

  const program = new Command('tokenkeeper')
    .description('Keeps the access tokens of connected social accounts alive.')
    .showHelpAfterError('Add --help to see what there is.')

  program
    .command('start')
    .description('run everything here: finds Redis, makes database and key; without any configuration, the sandbox')
    .option(
      '--sandbox',
      'show the work on sample accounts of a real Bluesky host and an emulator of Meta, on this machine',
    )
    .option('--once', 'refresh once, print the summary and end; exit 0 only if all went well')
    .option('--json', 'print the summary of --once as one JSON object, the last line of stdout; logs go to stderr')
    .action(run(async () => (await import('./commands/start.ts')).start))

  program
    .command('serve')
    .description('run scheduler and worker in one process, all of it configured (for services)')
    .action(run(async () => (await import('./commands/serve.ts')).serve))

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
    .action(run(async () => (await import('./commands/add-bluesky.ts')).addBluesky))
  accounts
    .command('list')
    .description('show all accounts')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .action(run(async () => (await import('./commands/list-accounts.ts')).listAccounts))
  accounts
    .command('remove')
    .description('log out at the provider and forget the account')
    .argument('<id>', 'id of the account')
    .action(run(async () => (await import('./commands/remove-account.ts')).removeAccount))

  program
    .command('log')
    .description('show the latest refreshes')
    .option('--limit <count>', 'how many at most', wholeNumber, 20)
    .option('--failed', 'only those that failed')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .action(run(async () => (await import('./commands/show-log.ts')).showLog))

  const halts = program.command('halts').description('show the platforms where our app is refused, and end such halts')
  halts
    .command('list', { isDefault: true })
    .description('show them')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .action(run(async () => (await import('./commands/halts.ts')).listHalts))
  halts
    .command('end')
    .description('end the halts of a platform; the next refresh tells whether its cause was mended')
    .addArgument(new Argument('<platform>', 'whose halts').choices(PLATFORMS))
    .option('--app <id>', 'only that of this app of ours')
    .action(run(async () => (await import('./commands/halts.ts')).endHalts))

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
    .action(run(async () => (await import('./commands/api-keys.ts')).createApiKey))
  apiKeys
    .command('list')
    .description('show all keys, but not themselves')
    .option('--json', 'print them as JSON')
    .action(run(async () => (await import('./commands/api-keys.ts')).listApiKeys))
  apiKeys
    .command('revoke')
    .description('end a key, and the sessions that it opened, at once')
    .argument('<id>', 'id of the key')
    .action(run(async () => (await import('./commands/api-keys.ts')).revokeApiKey))

  program
    .command('store')
    .description('work on the database as a whole')
    .command('copy')
    .description('copy everything from one database to another and verify it; done again, it continues')
    .argument('<from>', 'as DATABASE_URL: sqlite:PATH or mongodb://HOST/DATABASE')
    .argument('<to>', 'the same; made if it is not there')
    .option('--json', 'print the summary as JSON')
    .action(run(async () => (await import('./commands/store-copy.ts')).storeCopy))

  return program
}

/** Arguments under their own names, beside the options. */
function namedArguments(command: Command): Record<string, unknown> {
  return Object.fromEntries(
    command.registeredArguments.map((argument, index) => [argument.name(), command.processedArgs[index]]),
  )
}

function keyName(text: string): string {
  const name = text.trim()
  if (!/^[\p{L}\p{N}\p{P}\p{S} ]{1,100}$/u.test(name)) throw new InvalidArgumentError('It must have 1 to 100 letters.')
  return name
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}
