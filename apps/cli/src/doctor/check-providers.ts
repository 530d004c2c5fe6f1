import type { ProviderOptions } from '@tokenkeeper/context'
import { type Clock, ERRORS, SECOND, type Verdict } from '@tokenkeeper/core'
import { createMetaProvider, type VersionDrift } from '@tokenkeeper/providers'
import { checkClock } from './check-clock.ts'
import { type Finding, failed, ok, skipped, warning } from './finding.ts'

const TIMEOUT_MS = 10 * SECOND

/** Meta tells what it thinks of our app, by a token of the app itself; no user's token is sent anywhere. */
export async function checkMeta({ meta }: Pick<ProviderOptions, 'meta'>): Promise<Finding[]> {
  if (meta === undefined) return [skipped('Meta is off: APP_ID and APP_SECRET are not set.')]
  const drifts: VersionDrift[] = []
  const { probeApp } = createMetaProvider({ ...meta, onDrift: (drift) => drifts.push(drift) })
  const verdict = await probeApp()
  const [drift] = drifts
  const version = drift
    ? [
        warning(
          `Meta answers by version ${drift.answered}, since ${drift.asked} has expired.`,
          'Set META_GRAPH_VERSION to a current one.',
        ),
      ]
    : []
  if (verdict !== 'accepted') return [refused('Meta', verdict, 'APP_ID and APP_SECRET'), ...version]
  return [ok(`Meta accepts the app ${meta.app.id}.`), ...version]
}

function refused(name: string, verdict: Verdict, variables: string): Finding {
  const code = 'code' in verdict ? verdict.code : 'PROVIDER_UNKNOWN_ERROR'
  const says = `${name}: ${code}: ${ERRORS[code]}`
  if (verdict.kind === 'halt') return failed(says, `Check ${variables}, and the app's dashboard.`)
  return failed(says, `See whether this machine reaches ${name}, and try again later.`)
}

/** There is no call that tells whether an app of theirs is right but a login: only whether the host answers. */
export async function checkReachable(
  name: 'Instagram' | 'Threads',
  { http, graphUrl }: { readonly http: ProviderOptions['bluesky']['http']; readonly graphUrl: string },
): Promise<Finding> {
  const result = await http.request({ method: 'GET', url: graphUrl, timeoutMs: TIMEOUT_MS })
  if (result.kind !== 'answer') return unreachable(name, graphUrl)
  return skipped(`${name} answers; whether it accepts the app, only a login or a refresh tells.`)
}

/** The directory of accounts; and by what it answers, whether our clock is right. */
export async function checkBluesky(
  { http, plcUrl }: ProviderOptions['bluesky'],
  clock: Clock,
): Promise<{ readonly bluesky: Finding; readonly clock: Finding }> {
  const result = await http.request({ method: 'GET', url: `${plcUrl}/_health`, timeoutMs: TIMEOUT_MS })
  if (result.kind !== 'answer') {
    return { bluesky: unreachable('the PLC directory', plcUrl), clock: skipped('No provider told its time.') }
  }
  const told = Date.parse(result.headers.date ?? '')
  const ahead = told - clock.now()
  return {
    bluesky:
      result.status < 500
        ? ok('The directory of Bluesky accounts answers.')
        : warning(
            `The directory of Bluesky accounts answers ${result.status}.`,
            'Try again later; refreshes go on without it.',
          ),
    // The header tells the second that had begun.
    clock: Number.isNaN(told)
      ? skipped('No provider told its time.')
      : checkClock('the PLC directory', Math.abs(ahead) < SECOND ? 0 : ahead),
  }
}

function unreachable(name: string, url: string): Finding {
  return failed(
    `${name} cannot be reached at ${new URL(url).host}.`,
    'See whether this machine reaches it: name server, firewall, proxy.',
  )
}
