import { PLATFORMS } from '@tokenkeeper/core'
import { Argument, type Command } from 'commander'
import { examples, type Run } from './run.ts'

export function addHaltCommands(program: Command, run: Run): void {
  const halts = program.command('halts').description('show the platforms where our app is refused, and end such halts')
  halts
    .command('list', { isDefault: true })
    .description('show them')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper halts list': 'is a platform stopped, and why' }))
    .action(run(async () => (await import('../commands/halts.ts')).listHalts))
  halts
    .command('end')
    .description('end the halts of a platform; the next refresh tells whether its cause was mended')
    .addArgument(new Argument('<platform>', 'whose halts').choices(PLATFORMS))
    .option('--app <id>', 'only that of this app of ours')
    .option('--json', 'print those that were ended as JSON')
    .addHelpText('after', examples({ 'tokenkeeper halts end meta': 'after the app secret was corrected' }))
    .action(run(async () => (await import('../commands/halts.ts')).endHalts))
}
