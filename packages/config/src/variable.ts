import type { z } from 'zod'

/** What a variable means and how its text becomes a value. */
export interface Variable {
  readonly section: Section
  readonly schema: z.ZodType<unknown, string>
  /** In the words of the environment; none = may be left out. */
  readonly default?: string
  /** Where the default depends on something else: how. */
  readonly otherwise?: string
  /** Never printed, and may come from the file that `<name>_FILE` names. */
  readonly secret?: true
  readonly description: string
}

export const SECTIONS = [
  'General',
  'Encryption',
  'Redis',
  'Queues and workers',
  'API',
  'Logging',
  'Due times and schedules',
  'Retention',
  'Bluesky',
  'Meta',
  'Instagram',
  'Threads',
  'Timing of the refresh protocol',
] as const
export type Section = (typeof SECTIONS)[number]
