import { parentPort } from 'node:worker_threads'
import { type Batch, runBatch } from '../batch.ts'

// Nearly every schedule has errors, and nobody looks at their stacks.
Error.stackTraceLimit = 0

parentPort!.on('message', async (batch: Batch) => parentPort!.postMessage(await runBatch(batch)))
