export { type BlueskyOptions, createBlueskyProvider } from './bluesky/bluesky.ts'
export { type BlueskyLogin, connectBluesky } from './bluesky/connect.ts'
export type { GraphApp } from './graph/client.ts'
export type { CodeLogin, LoginUrlRequest } from './graph/login.ts'
export type { AssetUsage, Share, Usage } from './graph/usage.ts'
export { createHttp, type Http, type HttpOptions } from './http/http.ts'
export {
  connectInstagram,
  createInstagramProvider,
  type InstagramOptions,
  instagramLoginUrl,
} from './instagram/instagram.ts'
export { connectMeta, connectSystemUser, metaLoginUrl } from './meta/connect.ts'
export type { MetaOptions, VersionDrift } from './meta/graph.ts'
export { createMetaProvider, type MetaProvider } from './meta/meta.ts'
export * from './provider.ts'
export { connectThreads, createThreadsProvider, type ThreadsOptions, threadsLoginUrl } from './threads/threads.ts'
