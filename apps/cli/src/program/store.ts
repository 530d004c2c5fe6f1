import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addStoreCommands(program: Command, run: Run): void {
  program
    .command('store')
    .description('work on the database as a whole')
    .command('copy')
    .description('copy everything from one database to another and verify it; done again, it continues')
    .argument('<from>', 'as DATABASE_URL: sqlite:PATH or mongodb://HOST/DATABASE')
    .argument('<to>', 'the same; made if it is not there')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      examples({ 'tokenkeeper store copy sqlite:.data/tokenkeeper.db mongodb://db/tokenkeeper': 'move to MongoDB' }),
    )
    .action(run(async () => (await import('../commands/store-copy.ts')).storeCopy))
}
