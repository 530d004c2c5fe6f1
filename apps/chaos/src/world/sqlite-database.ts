import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spawnNode } from '@tokenkeeper/testkit'
import type { Database, Outage } from './database.ts'
import { mountSmall } from './small-disk.ts'

const HOLDER = fileURLToPath(new URL('../processes/lock-holder.ts', import.meta.url))
const MB = 2 ** 20

/** A database file, on a small disk of its own where one can be mounted. */
export async function createSqliteDatabase(dir: string): Promise<Database> {
  const home = join(dir, 'database')
  await mkdir(home)
  const disk = await mountSmall(home, 512 * MB)
  const path = join(home, 'tokenkeeper.db')
  return {
    url: `sqlite:${path}`,
    fleetUrl: `sqlite:${path}`,
    outages: [locked(path), ...(disk ? [full(home)] : [])],
    async [Symbol.asyncDispose]() {
      await disk?.[Symbol.asyncDispose]()
    },
  }
}

/** Another process is in a long write, and is killed in it: its changes are rolled back. */
function locked(path: string): Outage {
  return {
    name: 'locked by another process',
    async begin() {
      const holder = spawnNode(HOLDER, { args: [path] })
      await holder.waitForLine(/^holding$/, 60_000)
      return async () => holder[Symbol.asyncDispose]()
    },
  }
}

function full(home: string): Outage {
  const ballast = join(home, 'ballast')
  return {
    name: 'disk full',
    async begin() {
      const { bavail, bsize } = statfsSync(home)
      fill(ballast, bavail * bsize)
      return async () => rmSync(ballast, { force: true })
    },
  }
}

/** As much as there is room for; others may take some of it meanwhile. */
export function fill(path: string, bytes: number): void {
  try {
    writeFileSync(path, Buffer.alloc(bytes))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
