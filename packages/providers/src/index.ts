export { type BlueskyOptions, createBlueskyProvider } from './bluesky/bluesky.ts'
export { type BlueskyLogin, connectBluesky } from './bluesky/connect.ts'
export { readStoredSession, type StoredSession } from './bluesky/stored-session.ts'
export type { GraphApp } from './graph/client.ts'
export type { CodeLogin, LoginUrlRequest } from './graph/login.ts'
export { readStoredToken, type StoredToken } from './graph/stored-token.ts'
export type { AssetUsage, Share, Usage } from './graph/usage.ts'
export { createHttp, type Http, type HttpOptions } from './http/http.ts'
export {
  connectInstagram,
  connectInstagramToken,
  createInstagramProvider,
  type InstagramOptions,
  instagramLoginUrl,
} from './instagram/instagram.ts'
export { connectMeta, connectMetaToken, connectSystemUser, metaLoginUrl } from './meta/connect.ts'
export type { MetaOptions, VersionDrift } from './meta/graph.ts'
export { createMetaProvider, type MetaProvider } from './meta/meta.ts'
export * from './provider.ts'
export {
  connectThreads,
  connectThreadsToken,
  createThreadsProvider,
  type ThreadsOptions,
  threadsLoginUrl,
} from './threads/threads.ts'
