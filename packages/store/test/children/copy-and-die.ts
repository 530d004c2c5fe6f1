import { copyStore, openStore } from '../../src/index.ts'

/** Copies from one store to another, and is killed after so many batches. */
const [from = '', to = '', batches] = process.argv.slice(2)
let left = Number(batches)
await using source = await openStore(from)
await using target = await openStore(to)
await copyStore(source, target, {
  batchSize: 20,
  onBatch() {
    if (--left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
