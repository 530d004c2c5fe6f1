import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { mongo } from 'mongoose'

const { BSON } = mongo

export interface WireServer extends AsyncDisposable {
  readonly url: string
  /** The names of the commands that it has seen, in order. */
  readonly commands: readonly string[]
}

const OP_MSG = 2013
const OP_QUERY = 2004
const OP_REPLY = 1

/**
 * Speaks the MongoDB wire protocol on loopback and answers each command as told, for servers that cannot be had for
 * tests. (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/)
 */
export async function startWireServer(
  answer: (command: string, address: string) => mongo.BSON.Document,
): Promise<WireServer> {
  const commands: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => void sockets.delete(socket))
    let pending: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0))
        pending = pending.subarray(message.length)
        const { command, reply } = read(message)
        commands.push(command)
        socket.write(reply({ ok: 1, ...answer(command, address) }))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `mongodb://${address}/stub`,
    commands,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function read(message: Buffer): { command: string; reply: (document: mongo.BSON.Document) => Buffer } {
  const requestId = message.readInt32LE(4)
  if (message.readInt32LE(12) === OP_QUERY) {
    // flags, the collection's name, how many to skip, how many to return, the query
    const name = message.indexOf(0, 20)
    return { command: nameIn(message.subarray(name + 9)), reply: (document) => opReply(requestId, document) }
  }
  // flags, the kind of the first section, its document
  return { command: nameIn(message.subarray(21)), reply: (document) => opMsg(requestId, document) }
}

function nameIn(bytes: Buffer): string {
  return Object.keys(BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0))))[0]!
}

function opMsg(responseTo: number, document: mongo.BSON.Document): Buffer {
  return framed(OP_MSG, responseTo, [Buffer.alloc(5), BSON.serialize(document)])
}

function opReply(responseTo: number, document: mongo.BSON.Document): Buffer {
  const head = Buffer.alloc(20)
  head.writeInt32LE(1, 16) // one document
  return framed(OP_REPLY, responseTo, [head, BSON.serialize(document)])
}

function framed(opCode: number, responseTo: number, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const header = Buffer.alloc(16)
  header.writeInt32LE(16 + body.length, 0)
  header.writeInt32LE(responseTo, 8)
  header.writeInt32LE(opCode, 12)
  return Buffer.concat([header, body])
}
