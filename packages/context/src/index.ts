export { type AppContext, type ContextOverrides, createContext, type Loggers } from './context.ts'
export { runUntilSignal } from './run-until-signal.ts'
