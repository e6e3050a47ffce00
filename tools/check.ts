import { join } from 'node:path'
import { runSteps } from '#tools/check/steps.ts'
import { runSuite, unitTests } from '#tools/test/suites.ts'
import { addTallies, tallyLine } from '#tools/test/tally.ts'

// `npm run check`: format, lint, types, unused code and unit tests.
const project = join(import.meta.dirname, '..')
const tally = addTallies([await runSteps(project), await runSuite(project, unitTests, process.argv.slice(2))])
console.log(tallyLine(tally))
process.exitCode = tally.failed === 0 ? 0 : 1
