/** Set-up cannot go on; the message tells a person what to do. */
export class SetupError extends Error {}

/**
 * One plain line of progress. To stderr, so that the output of a command stays its own.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`centrala: ${line}\n`)
}
