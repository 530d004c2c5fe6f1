import { GraphError } from '../errors/graph-error.ts'
import type { App } from '../state/model.ts'
import { chargeCall } from './authenticate.ts'
import type { Call } from './host.ts'

/** The app that a call to graph.facebook.com names by client_id and client_secret. @throws GraphError if they are wrong */
export function clientApp(call: Call): App {
  const { client_id: id, client_secret: secret } = call.params
  if (id === undefined || id === '') throw new GraphError('app_id_missing')
  if (!/^\d+$/.test(id)) throw new GraphError('app_id_invalid')
  const app = call.world.apps.get(id)
  if (app === undefined || app.family !== call.family) throw new GraphError('app_unknown')
  checkStanding(app)
  if (secret === undefined || secret === '') throw new GraphError('secret_missing')
  if (secret !== app.secret) throw new GraphError('secret_wrong')
  chargeCall(call, app)
  return app
}

export function checkStanding({ standing }: App): void {
  if (standing === 'disabled') throw new GraphError('app_deleted')
  if (standing === 'restricted') throw new GraphError('app_restricted')
}
