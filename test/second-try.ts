// Under CI a journey that fails is tried once more, since one hiccup of a shared machine must not throw away what a run found; it is named, so that it gets mended.
import type { RootHookObject } from 'mocha'

export const mochaHooks: RootHookObject = {
  beforeEach(this: Mocha.Context) {
    const test = this.currentTest
    if (process.env.CI !== undefined) test?.retries(1)
  },
  afterEach(this: Mocha.Context) {
    const test = this.currentTest as (Mocha.Test & { currentRetry(): number }) | undefined
    if (test === undefined || test.currentRetry() === 0) return
    console.log(`    needed a second try (${test.state ?? 'failed'}): ${test.fullTitle()}`)
  },
}
