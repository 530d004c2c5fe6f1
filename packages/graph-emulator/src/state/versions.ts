/** Published and expired days (UTC) of the Graph API's versions: developers.facebook.com/docs/graph-api/changelog/versions */
const VERSIONS = [
  { version: 'v19.0', from: '2024-01-23', until: '2026-05-21' },
  { version: 'v20.0', from: '2024-05-21', until: '2026-09-24' },
  { version: 'v21.0', from: '2024-10-02', until: '2027-01-21' },
  { version: 'v22.0', from: '2025-01-21', until: '2027-05-20' },
  { version: 'v23.0', from: '2025-05-29', until: '2027-10-08' },
  { version: 'v24.0', from: '2025-10-08', until: '2028-02-18' },
  { version: 'v25.0', from: '2026-02-18', until: '2028-07-29' },
  { version: 'v26.0', from: '2026-07-29', until: undefined },
].map(({ version, from, until }) => ({
  version,
  number: versionNumber(version),
  from: Date.parse(from),
  until: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
}))

export const NEWEST_VERSION = VERSIONS.at(-1)!.version

/**
 * The version that answers a call: the one asked for; if that has expired, the next that has not; without one, the
 * oldest that has not. Undefined for a version that does not exist (yet).
 */
export function answeringVersion(asked: string | undefined, now: number): string | undefined {
  const published = VERSIONS.filter(({ from }) => from <= now)
  const newest = published.at(-1) ?? VERSIONS[0]!
  const wanted = asked === undefined ? 0 : versionNumber(asked)
  if (wanted > newest.number) return undefined
  return published.find(({ number, until }) => number >= wanted && now < until)?.version ?? newest.version
}

/** `/v26.0/me` → `v26.0` and `/me`. */
export function splitVersion(path: string): { asked: string | undefined; rest: string } {
  const found = /^\/(v\d{1,3}\.\d)(?=\/|\?|$)/.exec(path)
  if (found === null) return { asked: undefined, rest: path }
  const rest = path.slice(found[0].length)
  return { asked: found[1], rest: rest.startsWith('/') ? rest : `/${rest}` }
}

function versionNumber(version: string): number {
  return Number(version.slice(1))
}
