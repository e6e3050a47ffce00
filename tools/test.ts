import { join } from 'node:path'
import { runSteps } from '#tools/check/steps.ts'
import { endToEndTests, runSuite, unitTests } from '#tools/test/suites.ts'
import { addTallies, emptyTally, tallyLine } from '#tools/test/tally.ts'

// `npm test`: every check and every test. With words, only the test files whose path has one of them.
const project = join(import.meta.dirname, '..')
const words = process.argv.slice(2)
const checks = words.length === 0 ? await runSteps(project) : emptyTally
const tally = addTallies([checks, await runSuite(project, unitTests, words), await runSuite(project, endToEndTests, words)])
console.log(tallyLine(tally))
process.exitCode = tally.failed === 0 ? 0 : 1
