import type { z } from 'zod'
import { APP_CONTROLS } from './apps.ts'
import type { ControlDeps, ControlFunction } from './control.ts'
import { EMULATOR_CONTROLS } from './emulator.ts'
import { TOKEN_CONTROLS } from './tokens.ts'
import { USER_CONTROLS } from './users.ts'

export const CONTROL_FUNCTIONS = { ...APP_CONTROLS, ...USER_CONTROLS, ...TOKEN_CONTROLS, ...EMULATOR_CONTROLS }

type Functions = typeof CONTROL_FUNCTIONS

/** The control API within the process. Each throws ZodError for wrong input, ControlError for what does not exist. */
export type Control = {
  readonly [Name in keyof Functions]: Functions[Name] extends ControlFunction<infer Schema, infer Result>
    ? Record<never, never> extends z.input<Schema>
      ? (input?: z.input<Schema>) => Result
      : (input: z.input<Schema>) => Result
    : never
}

export function bindControl(deps: ControlDeps): Control {
  return Object.fromEntries(
    Object.entries(CONTROL_FUNCTIONS).map(([name, one]) => {
      const { input, run } = one as ControlFunction<z.ZodType, unknown>
      return [name, (given: unknown = {}) => run(deps, input.parse(given))]
    }),
  ) as unknown as Control
}
