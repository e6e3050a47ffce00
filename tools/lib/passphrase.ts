import { readFile } from 'node:fs/promises'
import { Trouble } from '#tools/lib/trouble.ts'

/** The first line of a file: a passphrase on the command line would stand in the shell's history and in the list of processes. */
export async function passphraseIn(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined
  const text = await readFile(file, 'utf8').catch((fault: Error) => {
    throw new Trouble(`The passphrase cannot be read: ${fault.message}`)
  })
  const line = text.split('\n')[0]?.trim() ?? ''
  if (line === '') throw new Trouble(`The first line of ${file} is empty: it should be the passphrase.`)
  return line
}
