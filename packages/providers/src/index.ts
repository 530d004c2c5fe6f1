export { type BlueskyOptions, createBlueskyProvider } from './bluesky/bluesky.ts'
export { type BlueskyLogin, connectBluesky } from './bluesky/connect.ts'
export { createHttp, type Http, type HttpOptions } from './http/http.ts'
export * from './provider.ts'
