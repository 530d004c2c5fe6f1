import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addStartCommands(program: Command, run: Run): void {
  program
    .command('start')
    .description('run everything here: finds Redis, makes database and key; without any configuration, the sandbox')
    .option(
      '--sandbox',
      'show the work on sample accounts of a real Bluesky host and an emulator of Meta, on this machine',
    )
    .option('--once', 'refresh once, print the summary and end; exit 0 only if all went well')
    .option('--json', 'print the summary of --once as one JSON object, the last line of stdout; logs go to stderr')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper start': 'keep the accounts that are connected here',
        'tokenkeeper start --sandbox': 'see it at work, without any account',
        'tokenkeeper start --sandbox --once --json': 'the same as a check for programs',
      }),
    )
    .action(run(async () => (await import('../commands/start.ts')).start))

  program
    .command('serve')
    .description('run scheduler, worker and API in one process, all of it configured (for services)')
    .option('--no-api', 'without the API: scheduler and worker alone, and nothing listens')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper serve': 'for a small machine',
        'tokenkeeper serve --no-api': 'where nothing but refreshes is wanted, as token-refresh.service',
        'doppler run -- tokenkeeper serve': 'with secrets from a secrets manager',
      }),
    )
    .action(run(async () => (await import('../commands/serve.ts')).serve))
}
