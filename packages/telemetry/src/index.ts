export { createLoggers, type LineSink, type Logger, type LogLevel, type LogOptions } from './logger.ts'
export { scrub, scrubEntry } from './scrub.ts'
