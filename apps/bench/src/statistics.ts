/** The middle one; of an even count, the mean of the two in the middle. Throws where there is none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Between the two values that lie next to it, in proportion. `share` is in [0, 1]. Throws where there is none. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('of no values there is no percentile')
  const sorted = values.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)]!
  const above = sorted[Math.ceil(place)]!
  return below + (above - below) * (place - Math.floor(place))
}

/** What rounds of two sides yielded, round by round. */
export interface Rounds {
  readonly ours: readonly number[]
  readonly floor: readonly number[]
}

/**
 * Measures two sides in turn, the one first in every other round, so that whatever slows the machine for a while slows
 * both. A first round of each warms up and does not count.
 */
export async function alternate(
  count: number,
  ours: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<Rounds> {
  const rounds = { ours: [] as number[], floor: [] as number[] }
  for (let round = 0; round <= count; round++) {
    const sides = [async () => rounds.ours.push(await ours()), async () => rounds.floor.push(await floor())]
    for (const measure of round % 2 === 0 ? sides : sides.toReversed()) await measure()
  }
  return { ours: rounds.ours.slice(1), floor: rounds.floor.slice(1) }
}

/** The median of the rounds' own ratios: what slows one round falls out. */
export function ratioOf({ ours, floor }: Rounds): number {
  return median(ours.map((value, round) => value / floor[round]!))
}

/** To three significant digits, or whole where it has more; for a report. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3))
}
