import { loadOrCreateDevelopmentKey } from '../../src/sealing/development-key.ts'

process.stdout.write(loadOrCreateDevelopmentKey(process.argv[2]!))
