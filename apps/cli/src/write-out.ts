import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Writes, and waits where the reader is slow: what was not read yet does not pile up in memory. */
export async function writeOut(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain')
}
