import type { Config } from '@tokenkeeper/config'
import { PLATFORMS, type Platform } from '@tokenkeeper/core'

/** What turns a platform on. */
const TURNED_ON_BY: Readonly<Partial<Record<Platform, string>>> = {
  meta: 'APP_ID, APP_SECRET',
  instagram: 'INSTAGRAM_APP_ID, INSTAGRAM_APP_SECRET',
  threads: 'THREADS_APP_ID, THREADS_APP_SECRET',
}

export function turnedOnBy(platform: Platform): string {
  return TURNED_ON_BY[platform] ?? 'nothing'
}

/** Those that are on by this configuration. */
export function configuredPlatforms({ meta, instagram, threads }: Config): Platform[] {
  const isOn = { bluesky: true, meta: meta.app, instagram: instagram.app, threads: threads.app }
  return PLATFORMS.filter((platform) => isOn[platform])
}

/** Which platforms are on, and what is missing for the others. */
export function describePlatforms(on: readonly Platform[]): string {
  const off = PLATFORMS.filter((platform) => !on.includes(platform))
  const missing = off.map((platform) => `${platform} (needs ${TURNED_ON_BY[platform]})`)
  return missing.length === 0 ? on.join(', ') : `${on.join(', ')}; off: ${missing.join(', ')}`
}
