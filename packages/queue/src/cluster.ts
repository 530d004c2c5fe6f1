import type { Cluster } from 'ioredis'

/**
 * Has `connect()` of a cluster client always settle. When the cluster is down as it connects, ioredis tries again and
 * forgets whom it promised to: BullMQ, which waits for that after an outage, would take no more jobs.
 */
export function settlesConnect(cluster: Cluster): Cluster {
  const connect = cluster.connect.bind(cluster)
  const duplicate = cluster.duplicate.bind(cluster)
  return Object.assign(cluster, {
    connect() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onEnd = () => reject(new Error('Connection is closed.'))
      cluster.once('ready', resolve)
      cluster.once('end', onEnd)
      connect().then(resolve, reject)
      return promise.finally(() => cluster.off('ready', resolve).off('end', onEnd))
    },
    // BullMQ makes its blocking connections by this.
    duplicate: (...args: Parameters<Cluster['duplicate']>) => settlesConnect(duplicate(...args)),
  })
}
