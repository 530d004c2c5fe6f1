import type { Clock, Platform } from '@tokenkeeper/core'
import {
  createInstagramProvider,
  createMetaProvider,
  createThreadsProvider,
  type GraphApp,
  type Http,
  type InstagramOptions,
  type MetaOptions,
  type Provider,
  type ThreadsOptions,
} from '@tokenkeeper/providers'

/** Where Meta's hosts are, and our app at each. Plain data, so that it can be handed to a child. */
export type GraphScene = Readonly<
  Record<'meta' | 'instagram' | 'threads', { readonly url: string; readonly app: GraphApp }>
>

interface Shared {
  readonly http: Http
  readonly clock: Clock
}

/** What the providers of a scene take, also for logins. */
export function graphOptions({ meta, instagram, threads }: GraphScene, shared: Shared) {
  const metaOptions: MetaOptions = {
    ...shared,
    app: meta.app,
    graphUrl: meta.url,
    graphVersion: 'v26.0',
    dialogUrl: meta.url,
  }
  const instagramOptions: InstagramOptions = {
    ...shared,
    app: instagram.app,
    graphUrl: instagram.url,
    apiUrl: instagram.url,
    dialogUrl: instagram.url,
  }
  const threadsOptions: ThreadsOptions = {
    ...shared,
    app: threads.app,
    graphUrl: threads.url,
    dialogUrl: threads.url,
  }
  return { meta: metaOptions, instagram: instagramOptions, threads: threadsOptions }
}

export function createGraphProviders(scene: GraphScene, shared: Shared): [Platform, Provider][] {
  const { meta, instagram, threads } = graphOptions(scene, shared)
  return [
    ['meta', createMetaProvider(meta)],
    ['instagram', createInstagramProvider(instagram)],
    ['threads', createThreadsProvider(threads)],
  ]
}
