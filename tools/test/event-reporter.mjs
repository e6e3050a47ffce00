import { inspect } from 'node:util'

/**
 * Reporter of node:test for `test-file.ts`: each test that ended, as one line of JSON. Suites are told by their tests; one that is skipped as
 * a whole, or fails by itself (a hook, its own code) stands as a line of its own.
 * @param {AsyncIterable<import('node:test/reporters').TestEvent>} source
 */
export default async function* eventReporter(source) {
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, skip, todo, details } = event.data
    if (details.type === 'suite' && skip === undefined && !failsByItself(event)) continue
    const isSkipped = skip !== undefined || todo !== undefined
    const outcome = isSkipped ? 'skipped' : event.type === 'test:pass' ? 'passed' : 'failed'
    const why =
      typeof skip === 'string'
        ? skip
        : event.type === 'test:fail'
          ? inspect(event.data.details.error.cause ?? event.data.details.error)
          : ''
    yield `${JSON.stringify({ name, outcome, why, ms: details.duration_ms })}\n`
  }
}

/** @param {import('node:test/reporters').TestEvent} event */
function failsByItself(event) {
  if (event.type !== 'test:fail') return false
  const { error } = event.data.details
  return 'failureType' in error && error.failureType !== 'subtestsFailed'
}
