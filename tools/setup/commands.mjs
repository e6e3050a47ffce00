/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string} usage what follows the name
 * @property {string} summary
 * @property {('speech' | 'web' | 'test-programs')[]} needs what is set up before it runs, besides packages and Node
 * @property {string} [entry] the file it runs; otherwise `tools/<name>.ts`, or `tools/cli.ts` where there is none
 */

/** @type {Command[]} */
export const commands = [
  { name: 'start', usage: '', summary: 'run the phone system until interrupted', needs: ['speech', 'web'], entry: 'server/keeper/main.ts' },
  { name: 'status', usage: '', summary: 'show the processes of the running system', needs: [] },
  { name: 'doctor', usage: '[--json]', summary: 'find out what is wrong with the installation, and what to do', needs: [] },
  {
    name: 'restart',
    usage: '',
    summary: 'put the program as it is now in place, one process after the other, calls being kept',
    needs: [],
  },
  { name: 'call', usage: '<number> [options]', summary: 'call in from outside through the demo carrier and show what happened', needs: [] },
  { name: 'phone', usage: '[options]', summary: 'be a phone: register, wait for a call, answer', needs: [] },
  {
    name: 'capture',
    usage: '<call id> [file] [options]',
    summary: 'write the packets of a call to a file that Wireshark opens',
    needs: [],
  },
  { name: 'plan', usage: '<folder>', summary: 'show what applying a folder of configuration would change', needs: [] },
  { name: 'apply', usage: '<folder>', summary: 'make a folder of configuration the current version', needs: [] },
  { name: 'export', usage: '<folder>', summary: 'write the current configuration as files', needs: [] },
  { name: 'rollback', usage: '[version]', summary: 'make an earlier version of the configuration current', needs: [] },
  { name: 'dialects', usage: '', summary: 'list the ways of carriers that a trunk may name', needs: [] },
  {
    name: 'certificates',
    usage: '[reload | authority]',
    summary: 'show the certificates used over TLS, or take up their files anew',
    needs: [],
  },
  { name: 'backup', usage: '<file> [options]', summary: 'write everything that must not be lost to one file', needs: [] },
  { name: 'restore', usage: '<file> [options]', summary: 'bring a backup back', needs: [] },
  {
    name: 'test',
    usage: '[words]',
    summary: 'run every check and test; with words, only the files whose path has one of them',
    needs: ['test-programs', 'web'],
  },
  {
    name: 'mutants',
    usage: '[words]',
    summary: 'show that the tests of abuse fail on a product broken on purpose; with words, only those so named',
    needs: ['test-programs', 'web'],
  },
  { name: 'check', usage: '', summary: 'format, lint, types, unused code and unit tests', needs: [] },
  { name: 'format', usage: '', summary: 'rewrite the source in the format of the house', needs: [] },
  { name: 'bench', usage: '[scenario]', summary: 'measure CPU per call, rates, delay and memory', needs: ['test-programs'] },
  { name: 'fuzz', usage: '[minutes]', summary: 'feed the parsers what nobody should send', needs: [] },
]

/**
 * @param {string} name
 * @returns {Command | undefined}
 */
export function commandNamed(name) {
  return commands.find((command) => command.name === name)
}

/** @returns {string} */
export function helpText() {
  const width = Math.max(...commands.map((command) => `${command.name} ${command.usage}`.length))
  const lines = commands.map((command) => `  ${`${command.name} ${command.usage}`.padEnd(width)}  ${command.summary}`)
  return ['Usage: npx centrala <command>', '', ...lines, `  ${'help'.padEnd(width)}  this list`, ''].join('\n')
}
