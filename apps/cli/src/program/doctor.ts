import type { Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addDoctorCommand(program: Command, run: Run): void {
  program
    .command('doctor')
    .description(
      'look at Redis, store, keys, spool, clocks, providers, schedules and workers, and tell how to mend what ails',
    )
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      examples({ 'tokenkeeper doctor': 'writes nothing, sends no token; exits with 1 if something failed' }),
    )
    .action(run(async () => (await import('../commands/doctor.ts')).doctor))
}
