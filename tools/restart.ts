import { askForRestart } from '#server/keeper/only-one.ts'
import { ownSettings } from '#tools/lib/installation.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala restart

Puts the program as it lies on the disk now in the place of the one that runs: the media engines one after the other, then the server.
Calls are kept. What cannot be replaced goes on as it was, and says why. The keeper itself and the database are restarted by stopping the
system and starting it again.`

async function main(words: string[]): Promise<number> {
  if (words.length > 0) {
    console.log(usage)
    return words.some((word) => word === '--help' || word === '-h') ? 0 : 2
  }
  const { folders } = ownSettings()
  const done = await askForRestart(folders.run, (line) => console.log(line))
  if (done === null) throw new Trouble(`Centrala does not run with the data in ${folders.data}, or ended meanwhile.`)
  return done ? 0 : 1
}

await runCommand(main)
