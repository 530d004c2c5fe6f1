import tab from '@bomb.sh/tab/commander'
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { addAccountCommands } from './program/accounts.ts'
import { addApiKeyCommands } from './program/api-keys.ts'
import { addDoctorCommand } from './program/doctor.ts'
import { addHaltCommands } from './program/halts.ts'
import { addKeyCommands } from './program/keys.ts'
import { addRefreshCommands } from './program/refresh.ts'
import { addReportCommands } from './program/reports.ts'
import { createRun, EXIT } from './program/run.ts'
import { addScheduleCommands } from './program/schedules.ts'
import { addStartCommands } from './program/start.ts'
import { addStoreCommands } from './program/store.ts'

/** In the order of the help. */
const GROUPS = [
  addStartCommands,
  addRefreshCommands,
  addAccountCommands,
  addReportCommands,
  addScheduleCommands,
  addDoctorCommand,
  addHaltCommands,
  addApiKeyCommands,
  addKeyCommands,
  addStoreCommands,
]

/** The command line. `exit` is called with a command's exit code; calls that are wrong throw commander's own errors. */
export function createProgram(exit: (code: number) => void): Command {
  const program = new Command('tokenkeeper')
    .description('Keeps the access tokens of connected social accounts alive.')
    .version(manifest.version)
    .showHelpAfterError('Add --help to see what there is.')
    .exitOverride()
  const run = createRun(exit)
  for (const addCommands of GROUPS) addCommands(program, run)
  tab(program, { completionCommandName: 'completion' })
  return program
}

/** Runs the command that the process was called with. */
export async function runProgram(exit: (code: number) => void): Promise<void> {
  try {
    await createProgram(exit).parseAsync()
  } catch (error) {
    // Help and complaints are written by now.
    if (!(error instanceof CommanderError)) throw error
    exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage)
  }
}
