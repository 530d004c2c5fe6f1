import { createHmac } from 'node:crypto'
import { createGraphClient, type GraphClient, type GraphOptions } from '../graph/client.ts'

export interface MetaOptions extends GraphOptions {
  /** Such as https://graph.facebook.com, without a slash at the end; as the other. */
  readonly graphUrl: string
  /** Such as v26.0. One that has expired is answered by a later one, without an error. */
  readonly graphVersion: string
  /** Where users log in: https://www.facebook.com */
  readonly dialogUrl: string
  /** Told, once for each, of versions that answered though another was asked for. Must not throw. */
  readonly onDrift?: (drift: VersionDrift) => void
  /** Told of what cannot be told otherwise: a log-out that failed. Never handed a secret. */
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export interface VersionDrift {
  readonly asked: string
  readonly answered: string
}

/** The Graph API of one version, as our app sees it. */
export interface MetaGraph {
  readonly options: MetaOptions
  readonly call: GraphClient['call']
  /** The address of a path. */
  url(path: string): string
  /** Identifies our app, in the place of a token. */
  readonly appToken: string
  /**
   * hex(HMAC-SHA256(app secret, `token|seconds`)), which holds for five minutes: tells Meta that whoever sends the token
   * has our secret. Goes into the address, since some endpoints do not look for it elsewhere (scribejava#1070).
   * https://developers.facebook.com/docs/facebook-login/security
   */
  proof(token: string): Record<string, string>
}

export function createMetaGraph(options: MetaOptions): MetaGraph {
  const { app, clock, graphUrl, graphVersion, onDrift } = options
  const told = new Set<string>()
  const client = createGraphClient('meta', options, ({ headers }) => {
    const answered = headers['facebook-api-version']
    if (answered === undefined || answered === graphVersion || told.has(answered)) return
    told.add(answered)
    onDrift?.({ asked: graphVersion, answered })
  })
  return {
    options,
    call: client.call,
    url: (path) => `${graphUrl}/${graphVersion}/${path}`,
    appToken: `${app.id}|${app.secret}`,
    proof(token) {
      const time = String(Math.floor(clock.now() / 1000))
      const proof = createHmac('sha256', app.secret).update(`${token}|${time}`).digest('hex')
      return { appsecret_proof: proof, appsecret_time: time }
    },
  }
}
