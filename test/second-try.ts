// Under CI a journey that fails is tried once more, since one hiccup of a shared machine must not throw away what a run found; it is named with what went wrong, so that it gets mended.
import type { RootHookObject } from 'mocha'

/** What each test failed with at its first try, as far as it said so itself: it may also have taken too long. */
const failures = new WeakMap<object, string>()

export const mochaHooks: RootHookObject = {
  beforeEach(this: Mocha.Context) {
    const test = this.currentTest as Attempt | undefined
    if (process.env.CI === undefined || test?.fn === undefined || test.currentRetry() > 0) return
    test.retries(1)
    const { fn } = test
    // Mocha tells its reporters alone what a try failed with that is not the last. The copy that it tries again shares the function.
    const told = async function (this: Mocha.Context) {
      try {
        await (fn as Mocha.AsyncFunc).call(this)
      } catch (error) {
        if (!failures.has(told)) failures.set(told, error instanceof Error ? error.message : String(error))
        throw error
      }
    }
    test.fn = told
  },
  afterEach(this: Mocha.Context) {
    const test = this.currentTest as Attempt | undefined
    if (test?.fn === undefined || test.currentRetry() === 0) return
    const why = failures.get(test.fn) ?? 'it took too long'
    console.log(`    needed a second try (${test.state ?? 'failed'}): ${test.fullTitle()}: ${oneLine(why)}`)
  },
}

type Attempt = Mocha.Test & { currentRetry(): number }

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 300)
