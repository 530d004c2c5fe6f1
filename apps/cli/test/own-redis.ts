import { mkdir, symlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type RedisServer, redisServerPath } from '@tokenkeeper/testkit'

/** Sends one command to a test's own Redis; the answer as it comes. */
export function sendRedis({ port }: Pick<RedisServer, 'port'>, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${command}\r\nQUIT\r\n`)
  return text(socket)
}

/** All keys of Tokenkeeper in a test's own Redis. */
export async function keysIn(redis: Pick<RedisServer, 'port'>): Promise<string[]> {
  return (await sendRedis(redis, 'KEYS *')).split('\r\n').filter((line) => line.startsWith('{'))
}

/** A PATH on which the tests' redis-server is found, wherever it is; makes `bin` below the directory. */
export async function pathWithRedis(dir: string): Promise<string> {
  const bin = join(dir, 'bin')
  await mkdir(bin)
  await symlink(redisServerPath()!, join(bin, 'redis-server'))
  return `${bin}${delimiter}${process.env.PATH}`
}
