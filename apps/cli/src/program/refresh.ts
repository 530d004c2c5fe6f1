import { isId, PLATFORMS } from '@tokenkeeper/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples, type Run, wholeNumber } from './run.ts'

export function addRefreshCommands(program: Command, run: Run): void {
  program
    .command('refresh')
    .description('refresh what falls due within a day, and follow that to its end; exit 1 if any refresh failed')
    .option('--all', 'every active account, due or not')
    .addOption(
      new Option('--account <id>', 'this account alone, due or not, before all others')
        .argParser(accountId)
        .conflicts(['all', 'platform']),
    )
    .addOption(new Option('--platform <platform>', 'accounts of this platform alone').choices(PLATFORMS))
    .option('--standalone', 'do the work in this process, without Redis and workers (cron, systemd timer)')
    .option('--dry-run', 'show what would be refreshed, when it falls due and why; no request, nothing written')
    .option('--limit <count>', 'with --dry-run: how many to show (100 if not given)', wholeNumber)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper refresh': 'have the workers refresh what is due',
        'tokenkeeper refresh --standalone': 'the same where no worker runs',
        'tokenkeeper refresh --dry-run': 'only show what that would be',
        'tokenkeeper refresh --all --platform meta': 'every account of Meta',
        'tokenkeeper refresh --account 6512c0ffee1234567890abcd': 'one account',
      }),
    )
    .action(run(async () => (await import('../commands/refresh.ts')).refresh))

  program
    .command('test-refresh')
    .description('rehearse refreshes on copies with made-up tokens at simulated hosts; real accounts are left alone')
    .option('--limit <count>', 'how many accounts, those that fall due next', rehearsed, 20)
    .addOption(new Option('--platform <platform>', 'accounts of this platform alone').choices(PLATFORMS))
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper test-refresh --limit 5': 'the five accounts that fall due next; kept in the log as test',
      }),
    )
    .action(run(async () => (await import('../commands/test-refresh.ts')).testRefresh))
}

/** Each is given a made-up user, who logs in. */
const MOST_REHEARSED = 500

function rehearsed(text: string): number {
  const count = wholeNumber(text)
  if (count > MOST_REHEARSED) throw new InvalidArgumentError(`It must be ${MOST_REHEARSED} at most.`)
  return count
}

function accountId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError('It must be the id of an account: 24 hex digits.')
  return text
}
