import { storeConformance } from '../src/conformance/index.ts'
import { openSqliteFixture } from './support/sqlite-fixture.ts'

storeConformance('SQLite', openSqliteFixture)
