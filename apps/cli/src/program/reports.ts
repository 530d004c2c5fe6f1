import { PLATFORMS } from '@tokenkeeper/core'
import { type Command, Option } from 'commander'
import { examples, type Run, wholeNumber } from './run.ts'

export function addReportCommands(program: Command, run: Run): void {
  program
    .command('expiring')
    .description('show the accounts and Pages that end soon, and those that are over')
    .addOption(new Option('--days <count>', 'within so many days').argParser(wholeNumber).default(7))
    .addOption(new Option('--expired', 'those that are over instead').conflicts('days'))
    .addOption(new Option('--platform <name>', 'only of this platform').choices(PLATFORMS))
    .option('--limit <count>', 'how many at most', wholeNumber, 1_000)
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper expiring --days 14': 'whom to ask for a new login in time',
        'tokenkeeper expiring --expired --platform meta': 'whom it is too late for',
      }),
    )
    .action(run(async () => (await import('../commands/expiring.ts')).expiring))
  program
    .command('log')
    .description('show the latest refreshes, those of Pages too')
    .option('--limit <count>', 'how many at most', wholeNumber, 10)
    .option('--failed', 'only those that failed')
    .option('--account <id>', 'only of this account and its Pages')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper log --limit 10 --failed': 'what went wrong last' }))
    .action(run(async () => (await import('../commands/show-log.ts')).showLog))
  program
    .command('stats')
    .description('count the refreshes: how many succeeded, by what asked for them, and why the others failed')
    .option('--days <count>', 'of so many days', wholeNumber, 30)
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper stats --days 1': 'how the last day went' }))
    .action(run(async () => (await import('../commands/stats.ts')).stats))
  program
    .command('explain')
    .description('tell why an account is due or not, when it is refreshed next, and what became of its tokens')
    .argument('<id>', 'id of the account')
    .option('--sandbox', 'one of the sandbox')
    .option('--json', 'print it as JSON')
    .addHelpText('after', examples({ 'tokenkeeper explain 68a1f09c3b5d7e2f4a6b8c0d': 'by the id in `accounts list`' }))
    .action(run(async () => (await import('../commands/explain.ts')).explain))
}
