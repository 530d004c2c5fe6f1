import { enableCompileCache } from 'node:module'

// Before everything else is loaded: later starts take a fraction of the time.
enableCompileCache()
const { runProgram } = await import('./program.ts')

// A reader that has seen enough (`tokenkeeper log | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// Late answers may still be read from sockets; nobody waits for those. What was written must be out first.
await runProgram((code) => process.stdout.write('', () => process.exit(code)))
