import { killMatrix, LOST_BEFORE_COMMIT } from '../test/support/kill-matrix.ts'
import { createWorld } from '../test/support/world.ts'

/** The long waits at every point are among the proofs. */
killMatrix({ open: createWorld, waitLongAt: ({ point }) => LOST_BEFORE_COMMIT.includes(point) })
