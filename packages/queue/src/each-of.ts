/** Does the action with each item, `atOnce` at a time; begins no further one once the signal has come. */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  action: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) {
      if (signal.aborted) return
      await action(item)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
