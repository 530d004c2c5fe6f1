import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RedisServer, startRedis, until } from '@tokenkeeper/testkit'
import { Redis } from 'ioredis'

export const LOOPBACK = '127.0.0.1'

export async function asAdmin<T>(redis: Pick<RedisServer, 'port'>, work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis({ host: LOOPBACK, port: redis.port })
  try {
    return await work(admin)
  } finally {
    admin.disconnect()
  }
}

export type LocalCluster = Awaited<ReturnType<typeof startCluster>>

/** Three masters, each with a third of the slots. */
export async function startCluster() {
  const stack = new AsyncDisposableStack()
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
  const nodes: RedisServer[] = []
  for (let node = 0; node < 3; node++) nodes.push(stack.use(await startRedis({ args })))
  const last = (node: number) => Math.floor((16_384 * (node + 1)) / 3) - 1
  for (const [index, node] of nodes.entries()) {
    await asAdmin(node, async (admin) => {
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', `${index === 0 ? 0 : last(index - 1) + 1}`, `${last(index)}`)
      for (const { port } of nodes) await admin.call('CLUSTER', 'MEET', LOOPBACK, `${port}`)
    })
  }
  const isOk = (node: RedisServer) =>
    asAdmin(node, async (admin) => /cluster_state:ok[\s\S]*cluster_size:3/.test(await admin.cluster('INFO')))
  const allOk = async () => (await Promise.all(nodes.map(isOk))).every(Boolean)
  await until(allOk, { what: 'the cluster to be formed' })
  return { nodes, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** An authority and a certificate that it signed for this machine. */
export function makeCertificates(dir: string) {
  const path = (name: string) => join(dir, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', path('ca.key'), '-out', path('ca.pem'), '-subj', '/CN=Test CA')
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-addext', `subjectAltName=IP:${LOOPBACK}`]
  const more = ['-addext', 'basicConstraints=critical,CA:FALSE']
  const out = ['-keyout', path('redis.key'), '-out', path('redis.pem'), '-subj', '/CN=redis']
  openssl('req', '-x509', ...newKey, ...out, ...signed, ...more)
  return {
    ca: readFileSync(path('ca.pem'), 'utf8'),
    caFile: path('ca.pem'),
    certFile: path('redis.pem'),
    keyFile: path('redis.key'),
  }
}
