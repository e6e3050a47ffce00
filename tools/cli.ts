import { parseArgs } from 'node:util'
import type { ConfigProblem } from '#contract/errors.ts'
import { type ApiClient, Refusal } from '#tools/lib/api-client.ts'
import { bringSounds, problemText, readFolder, writeFolder } from '#tools/lib/configuration-folder.ts'
import { openApi, ownSettings } from '#tools/lib/installation.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'

/** The commands about a company's configuration: all of them ask the running system, whose rules they share with every other way in. */
const usage = `Usage: npx centrala plan <folder>       shows what applying a folder of configuration would change
       npx centrala apply <folder>      makes it the current version, with the sounds it names
       npx centrala export <folder>     writes the current version as files, sounds included
       npx centrala rollback [version]  makes an earlier version current again (default: the one before)

  --comment "why"  kept with the version
  --company demo   where there are several`

interface Changed {
  version: number
  text: string
  warnings: ConfigProblem[]
}

interface Wish {
  api: ApiClient
  /** The folder, or the version. */
  what: string | undefined
  comment: string | undefined
}

const commands: Readonly<Record<string, (wish: Wish) => Promise<void>>> = { plan, apply, export: exportTo, rollback }

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { comment: { type: 'string' }, company: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
  })
  const [name = '', what, ...more] = positionals
  const command = commands[name]
  if (values.help || command === undefined || more.length > 0 || (what === undefined && name !== 'rollback')) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  try {
    await command({ api: await openApi(ownSettings(), values.company), what, comment: values.comment })
    return 0
  } catch (fault) {
    if (!(fault instanceof Refusal) || fault.problem.problems === undefined) throw fault
    for (const problem of fault.problem.problems) console.error(problemText(problem))
    console.error(fault.message)
    return 1
  }
}

async function plan({ api, what = '' }: Wish): Promise<void> {
  const { files, sounds } = await readFolder(what)
  const planned = await api.send<Changed>('POST', '/v1/configuration/plan', { body: { files, coming: sounds } })
  for (const warning of planned.warnings) console.error(problemText(warning))
  console.log(planned.text === '' ? `Version ${planned.version} would not change.` : planned.text)
}

/** Refused as a whole before anything is sent that lasts: first the plan, then the sounds, then the version over exactly the one planned against. */
async function apply({ api, what = '', comment }: Wish): Promise<void> {
  const { files, sounds } = await readFolder(what)
  const planned = await api.send<Changed>('POST', '/v1/configuration/plan', { body: { files, coming: sounds } })
  await bringSounds(api, what, sounds)
  const applied = await api.send<Changed>('PUT', '/v1/configuration', {
    body: { files, ...(comment !== undefined && { comment }) },
    headers: { 'if-match': `"${planned.version}"` },
  })
  for (const warning of applied.warnings) console.error(problemText(warning))
  console.log(applied.text === '' ? 'Nothing changed.' : applied.text)
  console.log(`Version ${applied.version} is in force for new calls.`)
}

async function exportTo({ api, what = '' }: Wish): Promise<void> {
  const { version, files } = await api.get<{ version: number; files: { name: string; text: string }[] }>('/v1/configuration')
  const sounds = await api.get<{ files: { path: string }[] }>('/v1/prompt-files')
  await writeFolder(
    what,
    files.map(({ name, text }) => ({ name, content: text })),
  )
  for (const { path } of sounds.files) await writeFolder(what, [{ name: path, content: await api.bytes(`/v1/prompt-files/${path}`) }])
  // What this version plays, where something else has been brought since.
  const { prompts } = await api.get<{ prompts: { id: string; file: string | null; sha256: string | null; ms: number | null }[] }>(
    '/v1/prompts',
  )
  for (const { id, file, sha256, ms } of prompts) {
    if (file !== null && sha256 !== null && ms !== null)
      await writeFolder(what, [{ name: file, content: await api.bytes(`/v1/prompts/${id}/sound`) }])
  }
  console.log(
    `Version ${version}: ${files.length} files and ${sounds.files.length} sounds in ${what}. Passwords are masked, and keep what they are when applied here.`,
  )
}

async function rollback({ api, what, comment }: Wish): Promise<void> {
  const to = what === undefined ? undefined : Number(what)
  if (to !== undefined && (!Number.isInteger(to) || to < 1))
    throw new Trouble(`rollback: expected the number of a version, found "${what}"`)
  const body = { ...(to !== undefined && { to }), ...(comment !== undefined && { comment }) }
  const { version } = await api.send<{ version: number }>('POST', '/v1/configuration/rollback', { body })
  console.log(`Version ${version}, which is ${to === undefined ? 'the one before' : `version ${to}`} again, is in force for new calls.`)
}

await runCommand(main)
