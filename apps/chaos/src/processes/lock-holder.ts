/** Begins a write in the database file PATH and stays in it. Prints `holding`. */
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2]!, { timeout: 30_000 })
db.exec('BEGIN IMMEDIATE')
db.exec('CREATE TABLE rolled_back (id INTEGER)')
console.log('holding')
setInterval(() => {}, 1_000_000)
