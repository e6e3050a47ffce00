import { stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '#base/clock.ts'
import { backup } from '#server/backup/index.ts'
import { openDatabase } from '#tools/lib/database.ts'
import { ownSettings } from '#tools/lib/installation.ts'
import { passphraseIn } from '#tools/lib/passphrase.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala backup <file.tar.gz> [options]

Writes everything that must not be lost to one file: companies, configuration, keys, history, recordings, prompts.
The system may be running.

  --passphrase-file f   locks the key of the secrets with the first line of this file
  --force               replaces a file that is there already`

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      'passphrase-file': { type: 'string' },
      force: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [file, ...more] = positionals
  if (values.help || file === undefined || more.length > 0) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if (!values.force && (await stat(file).catch(() => null)) !== null)
    throw new Trouble(`${file} is there already. Give another name, or --force.`)
  const settings = ownSettings()
  const passphrase = await passphraseIn(values['passphrase-file'])
  await using database = await openDatabase(settings, { alone: false })
  const { bytes, rows, files, warning } = await backup({
    store: database.store,
    clock: systemClock,
    dataFolder: settings.folders.data,
    file,
    folders: ['prompts', 'recordings'],
    ...(passphrase !== undefined && { passphrase }),
  })
  console.log(`${file}: ${rows} rows and ${files} files in ${(bytes / 1_000_000).toFixed(1)} MB.`)
  if (warning !== null) console.log(warning)
  return 0
}

await runCommand(main)
