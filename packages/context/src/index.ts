export { type AppContext, type ContextOverrides, createContext, type Loggers } from './context.ts'
export type { ProviderOptions } from './providers.ts'
export { createRedisAccess, type RedisAccess } from './redis-access.ts'
export { runUntilSignal } from './run-until-signal.ts'
