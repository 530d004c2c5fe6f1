/** Aborts when the process is asked to end; a second time ends it at once. For commands that stay up. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController()
  const asked = (code: number) => () => (stop.signal.aborted ? process.exit(code) : stop.abort())
  process.on('SIGINT', asked(130))
  process.on('SIGTERM', asked(143))
  return stop.signal
}
