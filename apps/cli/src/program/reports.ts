import type { Command } from 'commander'
import { examples, type Run, wholeNumber } from './run.ts'

export function addReportCommands(program: Command, run: Run): void {
  program
    .command('log')
    .description('show the latest refreshes')
    .option('--limit <count>', 'how many at most', wholeNumber, 20)
    .option('--failed', 'only those that failed')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper log --limit 10 --failed': 'what went wrong last' }))
    .action(run(async () => (await import('../commands/show-log.ts')).showLog))
}
