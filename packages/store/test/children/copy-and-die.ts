import { copyStore, openStore } from '../../src/index.ts'

/** Copies from one store to another, and is killed after so many pages. */
const [from = '', to = '', pages] = process.argv.slice(2)
let left = Number(pages)
await using source = await openStore(from)
await using target = await openStore(to)
await copyStore(source, target, {
  pageSize: 20,
  onPage() {
    if (--left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
