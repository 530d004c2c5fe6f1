import { CodedError, ERRORS, type Halt, type Platform, systemClock } from '@tokenkeeper/core'
import { openContext } from '../open-context.ts'
import { openExistingStore } from '../open-existing-store.ts'
import type { Output } from '../output.ts'
import { loadSettings } from '../settings.ts'
import { renderTable } from '../table.ts'
import { isoTime, relativeTime } from '../times.ts'

/** Shows which platforms are halted, and why. */
export async function listHalts(options: { readonly sandbox?: boolean }, output: Output): Promise<number> {
  await using store = await openExistingStore(loadSettings(options.sandbox))
  const halts = (await store?.halts.list()) ?? []
  if (output.json) output.result(halts.map(haltForPrograms))
  else if (halts.length === 0) output.say('No platform is halted.')
  else output.say(haltTable(halts, systemClock.now()))
  return 0
}

interface EndOptions {
  readonly platform: Platform
  readonly app?: string
}

export async function endHalts({ platform, app }: EndOptions, output: Output): Promise<number> {
  await using context = await openContext(loadSettings(), output)
  const ended = await context.engine.endHalts(platform, app, 'cli').catch((error: unknown) => {
    if (!(error instanceof CodedError) || error.code !== 'HALT_NOT_FOUND') throw error
    throw new CodedError('HALT_NOT_FOUND', {
      publicMessage: `${error.message} \`pnpm tokenkeeper halts\` shows those that are.`,
    })
  })
  for (const { providerAppId, code } of ended) {
    output.say(
      `Ended the halt of ${platform} (app ${providerAppId}, ${code}): the next refresh tells whether it is over.`,
    )
  }
  output.result({ ended: ended.map(({ providerAppId, code }) => ({ platform, appId: providerAppId, code })) })
  return 0
}

/** What programs see of a halt; times in ISO 8601. */
function haltForPrograms({ platform, providerAppId, state, code, suspects, since, probeAt }: Halt) {
  const times = { since: isoTime(since), probeAt: isoTime(probeAt) }
  return { platform, appId: providerAppId, state, code, message: ERRORS[code], suspects, ...times }
}

function haltTable(halts: readonly Halt[], now: number): string {
  const rows = halts.map(({ platform, providerAppId, state, code, since, probeAt }) => [
    platform,
    providerAppId,
    state,
    relativeTime(since, now),
    state === 'halted' ? relativeTime(Math.max(probeAt, now), now) : '-',
    `${code}: ${ERRORS[code]}`,
  ])
  return renderTable(['platform', 'app', 'state', 'since', 'next probe', 'why'], rows)
}
