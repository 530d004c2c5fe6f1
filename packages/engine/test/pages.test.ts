import { missedPageTests } from './support/missed-page-tests.ts'
import { onEachStore } from './support/on-each-store.ts'
import { pageCareTests } from './support/page-care-tests.ts'
import { pageTests } from './support/page-tests.ts'

await onEachStore('Pages', (world) => {
  pageTests(world)
  missedPageTests(world)
  pageCareTests(world)
})
