import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { said, verdictOf } from '#tools/test/verdict.ts'
import type { TestOutcome } from '#tools/test/test-file.ts'

const passed: TestOutcome = { name: 'one', outcome: 'passed', why: '', ms: 1 }
const failedBy = (fault: unknown): TestOutcome => ({
  ...{ name: 'two', outcome: 'failed', ms: 1 },
  why: typeof fault === 'string' ? fault : inspect(fault),
})
const equals = (found: unknown, expected: unknown, message = 'REGISTER'): TestOutcome => {
  try {
    assert.equal(found, expected, message)
  } catch (fault) {
    return failedBy(fault)
  }
  return passed
}

const on = (...tests: TestOutcome[]) => verdictOf({ tests, isBroken: true }, /REGISTER.*actual: 200/).verdict

test('who fails as meant has killed the mutant', () => {
  assert.equal(on(passed, equals(200, 401)), 'killed')
})

test('who fails for another reason has not noticed this one', () => {
  assert.equal(on(equals(500, 401)), 'misread')
  assert.equal(on(failedBy(new Error('no answer to REGISTER came'))), 'misread')
})

test('who passes is blind', () => {
  assert.equal(on(passed), 'survived')
})

test('a product that does not start, a test that hangs, crashes or does not run, and a file that nobody reads show nothing', () => {
  const unstarted = 'the system ended with code 1 instead of starting:\nREGISTER actual: 200'
  assert.equal(on(failedBy(new Error(unstarted))), 'error')
  assert.equal(on(failedBy('did not end within 300 s: a test hangs, or something is left open')), 'error')
  assert.equal(on(failedBy('exited with code 7')), 'error')
  assert.equal(on({ ...passed, outcome: 'skipped' }), 'error')
  assert.equal(on(), 'error')
  assert.equal(verdictOf({ tests: [equals(200, 401)], isBroken: false }, /REGISTER/).verdict, 'error')
})

test('what is said is one line, with what was found, and without the places in the code', () => {
  const line = said(equals(200, 401))
  assert.match(line, /^AssertionError \[ERR_ASSERTION\]: REGISTER .*actual: 200, expected: 401/)
  assert.doesNotMatch(line, /verdict\.test\.ts/)
})
