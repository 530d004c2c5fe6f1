import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts a script of test/children with this Node. */
export function startChild(script: string, ...args: string[]): ChildProcess {
  return spawn(process.execPath, [pathOf(script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs a script to its end; resolves with what it printed. Rejects if it failed. */
export function runChild(script: string, ...args: string[]): Promise<string> {
  return outputOf(startChild(script, ...args))
}

/** As {@link runChild}; no file that the script writes may grow beyond so many blocks (of 512 bytes, or 1,024). */
export function runChildOnSmallDisk(blocks: number, script: string, ...args: string[]): Promise<string> {
  const command = `ulimit -f ${blocks} && exec "$0" "$@"`
  return outputOf(
    spawn('sh', ['-c', command, process.execPath, pathOf(script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

function pathOf(script: string): string {
  return fileURLToPath(new URL(`../children/${script}`, import.meta.url))
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const [code, signal] = await once(child, 'close')
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code ?? signal}\n${errors}`)
  return output
}
