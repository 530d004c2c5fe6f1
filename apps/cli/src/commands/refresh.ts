import { CodedError } from '@tokenkeeper/core'
import { openContext } from '../open-context.ts'
import type { Output } from '../output.ts'
import { turnedOnBy } from '../platforms.ts'
import { showDryRun } from '../refresh/dry-run.ts'
import { refreshByFleet } from '../refresh/fleet.ts'
import { refreshOne } from '../refresh/one-account.ts'
import type { RefreshOptions } from '../refresh/options.ts'
import { refreshAlone } from '../refresh/standalone.ts'
import { loadSettings } from '../settings.ts'
import { stopSignal } from '../stop-signal.ts'

/** Refreshes now: by the fleet, or in this process; or only tells what that would be. */
export async function refresh(options: RefreshOptions, output: Output): Promise<number> {
  const config = loadSettings()
  if (options.dryRun) return showDryRun(config, options, output)
  if (options.limit !== undefined) {
    throw new CodedError('INVALID_REQUEST', {
      publicMessage: '--limit says how many --dry-run shows; it limits no run.',
    })
  }
  const signal = stopSignal()
  await using context = await openContext(config, output)
  const { account, platform, standalone = false } = options
  if (platform !== undefined && !context.providers.has(platform)) {
    throw new CodedError('PROVIDER_OFF', {
      publicMessage: `This platform is not configured: ${platform} needs ${turnedOnBy(platform)}.`,
    })
  }
  // Awaited here: what is open is closed when this returns.
  if (account !== undefined) return await refreshOne(context, { id: account, standalone }, output, signal)
  const refreshMany = standalone ? refreshAlone : refreshByFleet
  return await refreshMany(context, options, output, signal)
}
