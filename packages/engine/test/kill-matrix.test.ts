import { killMatrix } from './support/kill-matrix.ts'
import { createWorld } from './support/world.ts'

killMatrix({ open: createWorld })
