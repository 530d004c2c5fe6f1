import type { AppConfig, Config } from '@tokenkeeper/config'
import type { Clock, Platform } from '@tokenkeeper/core'
import {
  type BlueskyOptions,
  createBlueskyProvider,
  createHttp,
  createInstagramProvider,
  createMetaProvider,
  createThreadsProvider,
  type GraphApp,
  type InstagramOptions,
  type MetaOptions,
  type Provider,
  type ThreadsOptions,
} from '@tokenkeeper/providers'
import type { Loggers } from './context.ts'

/** What logins and refreshes at each platform take; undefined = the platform is off, since its app is not configured. */
export interface ProviderOptions {
  readonly bluesky: BlueskyOptions
  readonly meta: MetaOptions | undefined
  readonly instagram: InstagramOptions | undefined
  readonly threads: ThreadsOptions | undefined
}

interface OpenDeps {
  readonly clock: Clock
  readonly loggers: Loggers
}

/** Disposing closes the connections. */
export function openProviderOptions(config: Config, { clock, loggers }: OpenDeps): ProviderOptions & AsyncDisposable {
  const { bluesky, meta, instagram, threads } = config
  const { graphUrl, graphVersion, dialogUrl } = meta
  const ours = [bluesky.plcUrl, graphUrl, instagram.graphUrl, instagram.apiUrl, threads.graphUrl]
  // What the operator configured may be private; that needs no second permission.
  const allowedPrivateHosts = [...bluesky.allowedPrivateHosts, ...ours.map((url) => new URL(url).host)]
  const http = createHttp({ allowedPrivateHosts })
  const logOf = (platform: Platform) => {
    const logger = loggers(platform)
    return (message: string, fields: Readonly<Record<string, unknown>>) => logger.warn(fields, message)
  }
  const graph = (platform: Platform, app: AppConfig) => {
    const logger = loggers(platform)
    const onUsage: MetaOptions['onUsage'] = (usage) => logger.trace({ usage }, 'usage')
    return { http, clock, app: revealed(app), onUsage }
  }
  const onDrift: MetaOptions['onDrift'] = (drift) => {
    loggers('meta').warn(
      { ...drift },
      'the Graph API answers by another version: set META_GRAPH_VERSION to a current one',
    )
  }
  return {
    bluesky: { http, clock, plcUrl: bluesky.plcUrl, log: logOf('bluesky') },
    meta: meta.app && { ...graph('meta', meta.app), graphUrl, graphVersion, dialogUrl, onDrift, log: logOf('meta') },
    instagram: instagram.app && {
      ...graph('instagram', instagram.app),
      graphUrl: instagram.graphUrl,
      apiUrl: instagram.apiUrl,
      dialogUrl: instagram.dialogUrl,
    },
    threads: threads.app && {
      ...graph('threads', threads.app),
      graphUrl: threads.graphUrl,
      dialogUrl: threads.dialogUrl,
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  }
}

/** The providers of the platforms that are on. */
export function createProviders({ bluesky, meta, instagram, threads }: ProviderOptions): Map<Platform, Provider> {
  const providers = new Map<Platform, Provider>([['bluesky', createBlueskyProvider(bluesky)]])
  if (meta) providers.set('meta', createMetaProvider(meta))
  if (instagram) providers.set('instagram', createInstagramProvider(instagram))
  if (threads) providers.set('threads', createThreadsProvider(threads))
  return providers
}

function revealed({ id, secret }: AppConfig): GraphApp {
  return { id, secret: secret.reveal() }
}
