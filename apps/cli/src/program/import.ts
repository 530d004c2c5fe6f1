import { type Command, Option } from 'commander'
import { FILE_FORMATS } from '../accounts/formats.ts'
import { FIELDS, PRESET_NAMES } from '../import/fields.ts'
import { examples, type Run } from './run.ts'

export function addImportCommand(accounts: Command, run: Run): void {
  accounts
    .command('import')
    .description(
      'take over logins that another app has kept: from NDJSON, CSV, a SQL dump, a SQLite file or a MongoDB. ' +
        'Calls no provider; what is there already is left as it is, so that it can be done again',
    )
    .argument('[file]', 'the file, or - for stdin')
    .addOption(
      new Option('--preset <name>', 'where the fields of an app of the usual kind are found').choices(PRESET_NAMES),
    )
    .option('--map <field=place>', `where a field is found: a path, or :CONSTANT (${FIELDS.join(', ')})`, collect)
    .option('--map-file <file>', 'the same as a JSON object')
    .option('--owner <id>', 'whose accounts they are where ownerId is not found', 'default')
    .addOption(new Option('--format <format>', 'of the file; default: by its name, else ndjson').choices(FILE_FORMATS))
    .option('--delimiter <character>', 'between two values of CSV (default: a comma)')
    .option(
      '--sql-table <name>',
      'the file is a dump of MySQL, SQLite or PostgreSQL, or a SQLite file: take this table',
    )
    .option('--from <url>', 'mongodb://HOST/DATABASE instead of a file; - reads the address from stdin')
    .option('--collection <name>', 'the collection of --from')
    .option('--rejects <file>', 'where rejected lines are kept, with their secrets (default: FILE.rejects.ndjson)')
    .option('--json', 'print the counts as JSON')
    .addHelpText(
      'after',
      examples({
        'tokenkeeper accounts import sessions.ndjson --preset bluesky': 'sessions as the host gave them',
        'tokenkeeper accounts import tokens.csv --preset meta --map ownerId=customer': 'user tokens of Facebook',
        'tokenkeeper accounts import dump.sql --sql-table bluesky_sessions --preset bluesky --map accessToken=access_jwt':
          'another name',
        'tokenkeeper accounts import --from mongodb://db/app --collection users --map-file fields.json':
          'straight from an app',
      }),
    )
    .action(run(async () => (await import('../commands/import-accounts.ts')).importAccounts))
}

function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value]
}
