import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addStoreCommands(program: Command, run: Run): void {
  program
    .command('backup')
    .description('make one checked file of the whole database, while workers go on')
    .argument('<file>', 'where; there must be none of this name')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', examples({ 'tokenkeeper backup /backups/$(date +%F).db': 'every night, by cron' }))
    .action(run(async () => (await import('../commands/backup.ts')).backup))
  program
    .command('restore')
    .description(
      'put a backup in the place of the database, with all processes stopped; cut off, it goes on when called again',
    )
    .argument('<file>', 'what `backup` made')
    .option(
      '--journal [dirs...]',
      'bring in what was refreshed since, from the journal in DATA_DIR, or from these directories',
    )
    .option('--replace', 'move the database that stands there aside (SQLite)')
    .option('--force', 'though workers seem to be running, or keys are missing')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper restore nightly.db --journal': 'after the database was lost',
        'tokenkeeper restore nightly.db --journal a/journal b/journal': 'with the journals of two machines',
      }),
    )
    .action(run(async () => (await import('../commands/restore.ts')).restore))
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
