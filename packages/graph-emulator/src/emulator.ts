import { type Clock, systemClock } from '@tokenkeeper/core'
import { createCallbacks } from './callbacks/callbacks.ts'
import { bindControl, type Control } from './control/functions.ts'
import { createControlServer } from './control/server.ts'
import { dialogRoutes } from './dialog/routes.ts'
import { createHost } from './http/host.ts'
import { createInjections } from './http/injections.ts'
import { createRequestLog } from './http/request-log.ts'
import { facebookRoutes } from './routes/facebook/routes.ts'
import { instagram } from './routes/instagram.ts'
import { sixtyDayRoutes } from './routes/sixty-days.ts'
import { threads } from './routes/threads.ts'
import { FAMILIES, type Family } from './state/model.ts'
import { createWorld } from './state/world.ts'

export interface GraphEmulatorOptions {
  /** Default: free ones. */
  readonly ports?: { readonly [Host in Family | 'control']?: number | undefined }
  /** advanceClock moves on from this one; default the system's. */
  readonly clock?: Clock
  /** How many requests the log keeps; default 10,000. */
  readonly keptRequests?: number
}

export interface GraphEmulator extends AsyncDisposable {
  /**
   * `http://127.0.0.1:PORT` each. `facebook`: graph.facebook.com and the dialog of www.facebook.com; `instagram`:
   * graph.instagram.com, api.instagram.com and the dialog; `threads`: graph.threads.net and the dialog.
   */
  readonly urls: Readonly<Record<Family | 'control', string>>
  /** The time that tokens live by. */
  readonly clock: Clock
  /** The same functions as over HTTP at `urls.control`. */
  readonly control: Control
}

/**
 * An emulator of Meta's Graph API, empty, listening on 127.0.0.1. It keeps everything in memory. Disposing ends
 * connections and waits for callbacks under way.
 * @throws Error (EADDRINUSE) if a port is taken
 */
export async function startGraphEmulator(options: GraphEmulatorOptions = {}): Promise<GraphEmulator> {
  const { ports = {}, clock: base = systemClock, keptRequests = 10_000 } = options
  let ahead = 0
  const clock: Clock = { ...base, now: () => base.now() + ahead }
  const world = createWorld(clock.now)
  const log = createRequestLog(keptRequests)
  const injections = createInjections(world)
  const callbacks = createCallbacks(world)
  const control = bindControl({
    world,
    log,
    injections,
    callbacks,
    advance: (ms) => {
      ahead += ms
    },
  })

  await using stack = new AsyncDisposableStack()
  stack.defer(() => callbacks.settled())
  const urls = { facebook: '', instagram: '', threads: '', control: '' }
  for (const name of [...FAMILIES, 'control'] as const) {
    const server =
      name === 'control' ? createControlServer(control) : await createHost(name, { world, log, injections })
    if (name !== 'control') dialogRoutes(server, name, world)
    if (name === 'facebook') facebookRoutes(server, (app, user) => void callbacks.send('deauthorize', app, user))
    if (name === 'instagram') sixtyDayRoutes(server, instagram)
    if (name === 'threads') sixtyDayRoutes(server, threads)
    stack.defer(() => server.close())
    urls[name] = await server.listen({ host: '127.0.0.1', port: ports[name] ?? 0 })
  }
  const rest = stack.move()
  return { urls, clock, control, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}
