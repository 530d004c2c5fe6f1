/** The named moments at which a process may die; docs/protocol.md tells what saves each. */
export const KILL_POINTS = [
  'begin.before-write',
  'begin.applied-before-ack',
  'begin.acked',
  'send.checked-not-sent',
  'send.in-flight',
  'reply.received',
  'spool.before-fsync',
  'spool.after-fsync',
  'commit.before-write',
  'commit.applied-before-ack',
  'commit.batch-half-resolved',
  'commit.acked-before-relay',
  'relay.inserted-before-pull',
  'relay.before-spool-erase',
  'release.before-write',
  'dead.before-reread',
  'dead.after-reread-before-verdict',
  'dead.witness-in-flight',
  'hold.applied',
  'replay.before-write',
  'replay.applied-before-erase',
  'recovery.begin-acked',
  'recovery.in-flight',
  'reconnect.logged-in-before-write',
  'reconnect.applied-before-ack',
  'reseal.read-before-write',
  'remove.marked-before-relay',
  'pages.before-list',
  'pages.listed-before-put',
  'pages.put-before-mark',
] as const

/**
 * Called at each named moment with the account concerned; awaited. A no-op in production: tests and simulations hand in
 * one that kills, stops or delays the process there. Stores also call `<write>.applied-before-ack` for every write.
 */
export type Hook = (point: string, accountId: string) => void | Promise<void>

export const noHook: Hook = () => {}
