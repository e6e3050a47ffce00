import { installCommand, installDebian, isInstalled, privilege } from './debian.mjs'
import { say, SetupError } from './progress.mjs'

/**
 * A program of the machine and the Debian package that brings it.
 * @typedef {{ program: string, debian: string[], for: string }} Program
 */

/** @type {Program[]} */
const testPrograms = [
  { program: 'sipp', debian: ['sip-tester'], for: 'carriers and load' },
  { program: 'baresip', debian: ['baresip-core'], for: 'phones' },
  { program: 'linphonec', debian: ['linphone-cli'], for: 'phones' },
  { program: 'kamailio', debian: ['kamailio'], for: "a carrier's proxy" },
  { program: 'espeak-ng', debian: ['espeak-ng'], for: 'speech' },
  { program: 'flite', debian: ['flite'], for: 'speech' },
  { program: 'opusdec', debian: ['opus-tools'], for: 'listening to recordings' },
  { program: 'chromium', debian: ['chromium'], for: 'the page' },
  { program: 'tcpdump', debian: ['tcpdump'], for: 'reading captured packets' },
  { program: 'openssl', debian: ['openssl'], for: 'certificates' },
  { program: 'python3', debian: ['python3'], for: 'reading XML' },
]

/** One of these speaks the system's own sentences; prompts that are files need none. */
const speechPrograms = testPrograms.filter(({ program }) => program === 'espeak-ng' || program === 'flite')

/**
 * Installs the programs that are missing, when this user may. When not, says which command would, and goes on: what needs them
 * counts as skipped. In CI (`CI=true`) a program that stays missing is an error.
 * @param {'speech' | 'test'} purpose
 */
export async function ensureSystemPackages(purpose) {
  const missing = missingPrograms(purpose)
  if (missing.length === 0) return
  const packages = missing.flatMap(({ debian }) => debian)
  const command = installCommand(packages)
  const prefix = privilege()
  if (prefix === null) return complain(purpose, `Missing: ${describe(missing)}. To install: sudo ${command}`)
  say(`installing ${describe(missing)} …`)
  if (!(await installDebian(prefix, packages)))
    return complain(purpose, `apt-get failed; its message stands above. To try again: sudo ${command}`)
  const still = missingPrograms(purpose)
  if (still.length > 0) complain(purpose, `Still missing: ${describe(still)}`)
}

/**
 * @param {'speech' | 'test'} purpose
 * @returns {Program[]}
 */
function missingPrograms(purpose) {
  if (purpose === 'test') return testPrograms.filter(({ program }) => !isInstalled(program))
  return speechPrograms.some(({ program }) => isInstalled(program)) ? [] : speechPrograms
}

/** @param {Program[]} programs */
function describe(programs) {
  return programs.map(({ program, for: purpose }) => `${program} (${purpose})`).join(', ')
}

/**
 * @param {'speech' | 'test'} purpose
 * @param {string} line
 */
function complain(purpose, line) {
  if (purpose === 'test' && process.env['CI'] === 'true') throw new SetupError(line)
  say(line)
  say(purpose === 'test' ? 'Going on; tests that need them count as skipped.' : 'Going on; sentences that need speech stay silent.')
}
