/**
 * The entry of a child process that runs a real PDS and an in-memory PLC directory on loopback. The parent sends
 * settings over IPC; the process ends with the parent.
 */
import { randomBytes } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PDS } from '@atproto/pds'
import { openOffset } from '../clock-file.ts'
import { listenOnLoopback, shiftDate } from './globals.ts'
import { type FromPds, type PdsSettings, RATE_LIMIT_BYPASS, type ToPds } from './messages.ts'

interface Running {
  readonly pds: PDS
  readonly adminPassword: string
  stop(): Promise<void>
}

let running: Running | undefined

process.on('message', async (message: ToPds) => {
  if (message.kind === 'start') await begin(message.settings)
  else await move(message)
})
// Ctrl-C reaches the whole group: only the parent decides when this process ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', async () => {
  await running?.stop()
  process.exit(0)
})

async function begin(settings: PdsSettings): Promise<void> {
  process.once('disconnect', () => {
    if (settings.temporary) rmSync(settings.dataDir, { recursive: true, force: true })
    process.exit(1)
  })
  try {
    running = await run(settings)
    tell({ kind: 'ready', adminPassword: running.adminPassword })
  } catch (error) {
    const portTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    tell({ kind: 'failed', portTaken, message: String(error) })
  }
}

async function run(settings: PdsSettings): Promise<Running> {
  listenOnLoopback()
  if (settings.clockFile !== undefined) shiftDate(openOffset(settings.clockFile))
  // Imported only now: both keep references to Date.
  const { PDS } = await import('@atproto/pds')
  const { Database, PlcServer } = await import('@did-plc/server')

  mkdirSync(settings.dataDir, { recursive: true })
  const secrets = loadSecrets(join(settings.dataDir, 'secrets.json'))
  const directory = Database.mock()
  await keepInFile(directory, join(settings.dataDir, 'plc.jsonl'))
  const plc = PlcServer.create({ db: directory, port: settings.plcPort })
  await plc.start()
  const pds = await PDS.fromEnv({
    devMode: true,
    port: settings.port,
    hostname: 'localhost',
    dataDirectory: settings.dataDir,
    blobstoreDiskLocation: join(settings.dataDir, 'blobs'),
    didPlcUrl: `http://localhost:${settings.plcPort}`,
    serviceHandleDomains: ['.test'],
    inviteRequired: false,
    disableSsrfProtection: true,
    jwtSecret: secrets.jwtSecret,
    adminPassword: secrets.adminPassword,
    plcRotationKeyK256PrivateKeyHex: secrets.rotationKey,
    // Nothing of this network exists: names that cannot resolve keep the PDS from calling the real ones.
    bskyAppViewUrl: 'https://appview.invalid',
    bskyAppViewDid: 'did:example:invalid',
    modServiceUrl: 'https://moderator.invalid',
    modServiceDid: 'did:example:invalid',
    enableDidDocWithSession: settings.didDoc,
    rateLimitsEnabled: settings.rateLimits,
    rateLimitBypassKey: RATE_LIMIT_BYPASS,
  })
  await pds.start()
  return {
    pds,
    adminPassword: secrets.adminPassword,
    async stop() {
      await pds.destroy()
      await plc.destroy()
    },
  }
}

interface Secrets {
  readonly jwtSecret: string
  readonly adminPassword: string
  readonly rotationKey: string
}

/** The same at each start on the same data directory, or no session and no DID would outlive a restart. */
function loadSecrets(path: string): Secrets {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'))
  const secret = () => randomBytes(32).toString('hex')
  const secrets = { jwtSecret: secret(), adminPassword: secret(), rotationKey: secret() }
  writeFileSync(path, JSON.stringify(secrets), { mode: 0o600 })
  return secrets
}

type Directory = ReturnType<typeof import('@did-plc/server').Database.mock>

/** The in-memory directory forgets at exit: replay the operations that an earlier process accepted, write the new ones. */
async function keepInFile(directory: Directory, path: string): Promise<void> {
  const add = directory.validateAndAddOp.bind(directory)
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
  for (const line of lines) {
    const { did, operation } = JSON.parse(line)
    await add(did, operation)
  }
  directory.validateAndAddOp = async (did, operation) => {
    await add(did, operation)
    appendFileSync(path, `${JSON.stringify({ did, operation })}\n`)
  }
}

async function move({ id, did, endpoint }: Extract<ToPds, { kind: 'move' }>): Promise<void> {
  try {
    if (!running) throw new Error('The PDS is not running')
    const { plcClient, plcRotationKey } = running.pds.ctx
    await plcClient.updatePds(did, plcRotationKey, endpoint)
    tell({ kind: 'moved', id })
  } catch (error) {
    tell({ kind: 'moved', id, error: String(error) })
  }
}

function tell(message: FromPds): void {
  process.send?.(message)
}
