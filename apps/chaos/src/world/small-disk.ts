import { execFileSync } from 'node:child_process'

export interface SmallDisk extends AsyncDisposable {
  /** Makes it read-only, or writable again. Fails while a file is open for writing there. */
  setReadOnly(readOnly: boolean): void
}

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: 'pipe' })

/** A disk in memory of so many bytes, mounted at the directory; null where that is not allowed (it takes root). */
export async function mountSmall(dir: string, bytes: number): Promise<SmallDisk | null> {
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tokenkeeper-chaos', dir)
  } catch {
    return null
  }
  return {
    setReadOnly: (readOnly) => void run('mount', '-o', `remount,${readOnly ? 'ro' : 'rw'}`, dir),
    async [Symbol.asyncDispose]() {
      run('umount', '-l', dir)
    },
  }
}
