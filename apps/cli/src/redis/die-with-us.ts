import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Ends the child when this process ends, also by SIGKILL: a shell waits for its input to close, which the system does
 * in any case.
 */
export function dieWithUs(child: ChildProcess): void {
  if (process.platform === 'win32' || child.pid === undefined) return
  const watchdog = spawn('/bin/sh', ['-c', 'read _; kill -TERM "$0"', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of the terminal's process group, or Ctrl-C would end the watchdog first.
    detached: true,
  })
  watchdog.on('error', () => {})
  watchdog.unref()
  const input = watchdog.stdin as Socket
  input.on('error', () => {})
  input.unref()
  child.once('exit', () => watchdog.kill('SIGKILL'))
}
