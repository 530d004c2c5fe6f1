import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Has the child killed when this process ends, however it ends: a shell waits for its input to close, which the system
 * does even after SIGKILL. A no-op where there is no /bin/sh.
 */
export function dieWithParent(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) return
  const watchdog = spawn('/bin/sh', ['-c', 'read _; kill -KILL "$0"', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of the terminal's process group: Ctrl-C must not end the watchdog before the child.
    detached: true,
  })
  watchdog.unref()
  const input = watchdog.stdin as Socket
  input.unref()
  child.once('exit', () => watchdog.kill('SIGKILL'))
}
