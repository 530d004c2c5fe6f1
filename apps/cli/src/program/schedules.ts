import { cronPattern, timeZone } from '@tokenkeeper/config'
import { PLATFORMS } from '@tokenkeeper/core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { z } from 'zod'
import { examples, type Run, wholeNumber } from './run.ts'

export function addScheduleCommands(program: Command, run: Run): void {
  const schedules = program.command('schedules').description('show, change and start the runs that come by a calendar')
  const load = () => import('../commands/schedules.ts')
  schedules
    .command('list', { isDefault: true })
    .description('show all schedules, when they come next and how they went')
    .option('--sandbox', 'those of the sandbox')
    .option('--json', 'print them as JSON')
    .addHelpText('after', examples({ 'tokenkeeper schedules list': 'what comes when, and what was missed' }))
    .action(run(async () => (await load()).showSchedules))
  schedules
    .command('set')
    .description('change a schedule, or make one; that starts nothing by itself')
    .argument('<id>', 'its name')
    .option('--cron <pattern>', 'when: minute, hour, day of month, month, day of week', cron)
    .option('--tz <zone>', 'in this time zone of the IANA list', valid(timeZone()))
    .addOption(
      new Option('--platform <platform...>', 'accounts of these platforms alone; all: of every one').choices([
        ...PLATFORMS,
        'all',
      ]),
    )
    .option('--limit <runs>', 'so many runs in all, counted from the first; none: no end', limit)
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      examples({
        "tokenkeeper schedules set meta-daily --cron '0 2,14 * * *'": 'twice a day',
        "tokenkeeper schedules set nightly --cron '0 3 * * *' --tz Europe/Berlin --platform threads": 'one more',
        'tokenkeeper schedules set nightly --limit none': 'without an end',
      }),
    )
    .action(run(async () => (await load()).setSchedule))
  const one = (name: string, description: string, calls: Parameters<typeof examples>[0]) =>
    schedules
      .command(name)
      .description(description)
      .argument('<id>', 'its name')
      .option('--json', 'print the outcome as JSON')
      .addHelpText('after', examples(calls))
  one('on', 'turn a schedule on; what came meanwhile is not made up for', {
    'tokenkeeper schedules on meta-daily': 'from its next time on',
  }).action(run(async () => (await load()).turnScheduleOn))
  one('off', 'turn a schedule off; a run that goes on is finished', {
    'tokenkeeper schedules off bluesky-weekly': 'the sweep still finds what falls due',
  }).action(run(async () => (await load()).turnScheduleOff))
  one('remove', 'remove a schedule of your own, and the count of its runs', {
    'tokenkeeper schedules remove nightly': 'default ones are turned off instead',
  }).action(run(async () => (await load()).dropSchedule))
  one('run', 'start a run of a schedule now; its limit does not count it', {
    'tokenkeeper schedules run meta-daily': 'what it would do at its time',
  }).action(run(async () => (await load()).startSchedule))
}

const cron = valid(cronPattern())

function valid(schema: z.ZodType<string>): (text: string) => string {
  return (text) => {
    const parsed = schema.safeParse(text.trim())
    if (!parsed.success) throw new InvalidArgumentError(`It ${parsed.error.issues[0]!.message}.`)
    return parsed.data
  }
}

function limit(text: string): number | 'none' {
  return text === 'none' ? text : wholeNumber(text)
}
