import { writeFileSync } from 'node:fs'
import { renderCliPage } from './docs.ts'

writeFileSync(new URL('../../../docs/cli.md', import.meta.url), renderCliPage())
