import { stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '#base/clock.ts'
import { BadArchiveError, NotEmptyError, rehearseRestore, restore, WrongPassphraseError } from '#server/backup/index.ts'
import { FolderInUseError } from '#server/journal/index.ts'
import { openDatabase } from '#tools/lib/database.ts'
import { ownSettings } from '#tools/lib/installation.ts'
import { passphraseIn } from '#tools/lib/passphrase.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

const usage = `Usage: npx centrala restore <file.tar.gz> [options]

Brings a backup back, while the system is stopped. Nothing is written before the whole file has been found intact.

  --passphrase-file f   where the backup was locked with a passphrase
  --rehearse            restores into a database and a folder that are thrown away, and says what came back and what would be missing;
                        the running system is not touched
  --force               replaces the companies that are here; their files are put aside, not deleted`

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      'passphrase-file': { type: 'string' },
      force: { type: 'boolean', default: false },
      rehearse: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [file, ...more] = positionals
  if (values.help || file === undefined || more.length > 0) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  if ((await stat(file).catch(() => null)) === null) throw new Trouble(`There is no file ${file}.`)
  const passphrase = await passphraseIn(values['passphrase-file'])
  if (values.rehearse) return rehearse(file, passphrase)
  const report = await bringBack(file, values.force, passphrase)
  console.log(`Brought back the backup of ${report.createdAt}: ${report.rows} rows and ${report.files} files.`)
  for (const path of report.putAside) console.log(`What was there before is in ${path}`)
  console.log('Start the system: npm start')
  return 0
}

async function bringBack(file: string, force: boolean, passphrase: string | undefined): Promise<Awaited<ReturnType<typeof restore>>> {
  const settings = ownSettings()
  await using database = await openDatabase(settings, { alone: true })
  try {
    return await restore({
      store: database.store,
      clock: systemClock,
      dataFolder: settings.folders.data,
      file,
      force,
      ...(passphrase !== undefined && { passphrase }),
    })
  } catch (fault) {
    throw forThePerson(fault)
  }
}

/** 0 when a real restore would bring everything back. */
async function rehearse(file: string, passphrase: string | undefined): Promise<number> {
  const report = await rehearseRestore({ file, clock: systemClock, ...(passphrase !== undefined && { passphrase }) }).catch(
    (fault: unknown) => {
      throw forThePerson(fault)
    },
  )
  const rows = Object.entries(report.rows).map(([table, count]) => `${count} in ${table}`)
  console.log(
    `The backup of ${report.createdAt} comes back: ${report.companies} companies, ${report.secrets} secrets that open, ${report.files} files.`,
  )
  console.log(`Rows: ${rows.join(', ')}.`)
  for (const problem of report.problems) console.log(sentence(problem))
  return report.problems.length === 0 ? 0 : 1
}

function forThePerson(fault: unknown): unknown {
  return isForThePerson(fault) ? new Trouble(sentence(fault.message)) : fault
}

function isForThePerson(fault: unknown): fault is Error {
  return [BadArchiveError, NotEmptyError, WrongPassphraseError, FolderInUseError].some((kind) => fault instanceof kind)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

await runCommand(main)
