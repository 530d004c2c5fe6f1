import type { Clock } from '@tokenkeeper/core'
import type { Pacing, PacingRequest } from './pacing.ts'

/** Lets all pass, and leaves a host alone for as long as it asked, within this process. */
export function createHostPacing(clock: Pick<Clock, 'now'>): Pacing {
  const pausedUntil = new Map<string, number>()
  const key = ({ platform, host }: Pick<PacingRequest, 'platform' | 'host'>) => `${platform} ${host}`
  return {
    async ask(request) {
      const until = pausedUntil.get(key(request))
      if (until === undefined) return { ok: true }
      if (until > clock.now()) return { ok: false, until }
      pausedUntil.delete(key(request))
      return { ok: true }
    },
    async pause(request, until) {
      pausedUntil.set(key(request), Math.max(until, pausedUntil.get(key(request)) ?? 0))
    },
  }
}
