import { isIP } from 'node:net'
import { CodedError } from '@tokenkeeper/core'
import { buildConnector } from 'undici'
import { type AddressGuard, effectivePort, isPublicAddress, unbracket } from './address-guard.ts'

/** No connection was made, so nothing of the request can have been sent. */
export class ConnectFailedError extends Error {
  override name = 'ConnectFailedError'
}

/** Opens sockets for undici, past the guard; whatever fails up to the end of the TLS handshake is a ConnectFailedError. */
export function createConnector(guard: AddressGuard, timeoutMs: number): buildConnector.connector {
  // HTTP/1.1 alone: one request per connection at a time, so an error belongs to exactly one request.
  const options = { timeout: timeoutMs, allowH2: false }
  const connectAnywhere = buildConnector(options)
  const connectPublic = buildConnector({ ...options, lookup: guard.lookup })

  return (target, callback) => {
    const finish: buildConnector.Callback = (...[error, socket]) => {
      if (error === null) callback(null, socket!)
      else callback(new ConnectFailedError('no connection', { cause: error }), null)
    }
    const host = unbracket(target.hostname)
    if (guard.isException(host, effectivePort(target))) return connectAnywhere(target, finish)
    // A literal address is never looked up.
    if (isIP(host) !== 0 && !isPublicAddress(host)) return finish(new CodedError('ADDRESS_REFUSED'), null)
    connectPublic(target, finish)
  }
}
