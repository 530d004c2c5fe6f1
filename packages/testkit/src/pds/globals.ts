import { Server } from 'node:net'

const RealDate = Date

/** Moves `new Date()` and `Date.now()` of the whole process. Call it before anything that keeps a reference to Date. */
export function shiftDate(offset: () => number): void {
  globalThis.Date = class extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(RealDate.now() + offset())
      else super(...(args as [number]))
    }

    static override now(): number {
      return RealDate.now() + offset()
    }
  } as DateConstructor
}

/** PDS and PLC call `listen(port)`, which opens the port on every interface: make that loopback. */
export function listenOnLoopback(): void {
  const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const [port, host, ...rest] = args
    if (typeof port !== 'number' || typeof host === 'string') return listen.apply(this, args)
    return listen.call(this, port, '127.0.0.1', ...(host === undefined ? rest : [host, ...rest]))
  }
}
