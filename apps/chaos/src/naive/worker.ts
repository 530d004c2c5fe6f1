/**
 * A worker as apps write it today: one job calls the official agent and then saves, and any error means that the user
 * has to log in again. Everything of BullMQ is left at its defaults but the concurrency.
 */
import { openSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { AtpAgent } from '@atproto/api'
import { Worker } from 'bullmq'
import type { NaiveJob } from './schema.ts'

const { REDIS_PORT, DATABASE = '', SERVICE_URL = '', CONCURRENCY, JOURNAL = '' } = process.env
const db = new DatabaseSync(DATABASE, { timeout: 5_000 })
const read = db.prepare('SELECT session FROM accounts WHERE did = ?')
const save = db.prepare("UPDATE accounts SET session = ?, status = 'connected' WHERE did = ?")
const disconnect = db.prepare("UPDATE accounts SET status = 'disconnected' WHERE did = ?")

// For the count of what a kill interrupted; no part of what apps do.
const journal = openSync(JOURNAL, 'a')
const note = (line: string) => void writeSync(journal, `${line}\n`)

const worker = new Worker<NaiveJob>(
  'refresh',
  async ({ data: { did } }) => {
    note(`begin ${did}`)
    const agent = new AtpAgent({ service: SERVICE_URL })
    try {
      await agent.resumeSession(JSON.parse(String(read.get(did)?.session)))
      save.run(JSON.stringify(agent.session), did)
    } catch {
      disconnect.run(did)
    }
    note(`end ${did}`)
  },
  { connection: { port: Number(REDIS_PORT), maxRetriesPerRequest: null }, concurrency: Number(CONCURRENCY) },
)
worker.on('error', () => {})
await worker.waitUntilReady()
process.send?.('ready')
