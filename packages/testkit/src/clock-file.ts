import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { type Clock, systemClock } from '@tokenkeeper/core'

// Captured, because the PDS process replaces Date by one that reads this very file.
const realNow = Date.now

const SIZE = 8

export interface ClockFile extends Disposable {
  readonly path: string
  /** Moves the clock of every process that reads the file, by ms (negative: backwards). */
  advance(ms: number): void
  /** How far the clock is ahead of the real one, in ms. */
  offset(): number
  readonly clock: Clock
}

/**
 * A wall clock that several processes share and one process moves. The file holds one float64, the offset in ms: it is
 * read and written by a single aligned 8-byte call each, so no reader sees half a value.
 */
export function createClockFile(path: string): ClockFile {
  const file = openSync(path, 'w+')
  const write = (offset: number) => {
    const bytes = Buffer.alloc(SIZE)
    bytes.writeDoubleLE(offset)
    writeSync(file, bytes, 0, SIZE, 0)
  }
  write(0)
  const offset = offsetReader(file, path)
  return {
    path,
    advance: (ms) => write(offset() + ms),
    offset,
    clock: shiftedClock(offset),
    [Symbol.dispose]: () => closeSync(file),
  }
}

/**
 * The clock of an existing clock file: now() is moved, monotonic() and sleep() are real. The file stays open as long as
 * the process lives.
 */
export function openClockFile(path: string): Clock {
  return shiftedClock(openOffset(path))
}

/** Reads the offset in ms at each call. */
export function openOffset(path: string): () => number {
  return offsetReader(openSync(path, 'r'), path)
}

function offsetReader(file: number, path: string): () => number {
  const bytes = Buffer.alloc(SIZE)
  return () => {
    if (readSync(file, bytes, 0, SIZE, 0) !== SIZE) throw new Error(`${path} is not a clock file`)
    return bytes.readDoubleLE()
  }
}

function shiftedClock(offset: () => number): Clock {
  return { ...systemClock, now: () => realNow() + offset() }
}
