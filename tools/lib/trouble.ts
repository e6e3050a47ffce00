/** Why a command cannot do its work, in sentences for the person at the terminal. */
export class Trouble extends Error {
  override name = 'Trouble'
}

/**
 * Runs a command to its exit code. What the person can put right (a wrong word, a system that does not run) is said in a sentence; anything
 * else is a fault of the program and keeps its stack.
 */
export async function runCommand(main: (words: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (fault) {
    if (!(fault instanceof Trouble) && !isArgumentFault(fault)) throw fault
    process.stderr.write(`${fault.message}\n`)
    process.exitCode = fault instanceof Trouble ? 1 : 2
  }
}

/** What `parseArgs` of node:util throws at words it does not know. */
function isArgumentFault(fault: unknown): fault is Error {
  return fault instanceof Error && 'code' in fault && String(fault.code).startsWith('ERR_PARSE_ARGS_')
}
