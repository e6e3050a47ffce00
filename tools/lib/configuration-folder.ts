import { hash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ConfigProblem } from '#contract/errors.ts'
import { inspectSound } from '#media/file/read-sound.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { readDocuments } from '#server/config/read.ts'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** A company's configuration as files: YAML documents, and the sounds that they name. */
export interface ConfigurationFolder {
  /** Names relative to the folder. */
  files: { name: string; text: string }[]
  /** Sounds that its prompts name and that are here, with their lengths. */
  sounds: FolderSound[]
}

/** `sha256`: of its bytes, so that a plan can tell whether the sound changes. */
export interface FolderSound {
  file: string
  ms: number
  sha256: string
}

/** Reads every .yaml and .yml below a folder, hidden ones left out, and measures the sounds they name. Throws Trouble for a sound that cannot be played. */
export async function readFolder(folder: string): Promise<ConfigurationFolder> {
  const names = await readdir(folder, { recursive: true }).catch(() => {
    throw new Trouble(`${folder}: there is no such folder`)
  })
  const wanted = names.filter((name) => /\.ya?ml$/.test(name) && !name.split(/[/\\]/).some((part) => part.startsWith('.'))).toSorted()
  if (wanted.length === 0) throw new Trouble(`${folder}: expected .yaml files, found none`)
  const files = await Promise.all(wanted.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })))
  return { files, sounds: await soundsOf(folder, files) }
}

/** Writes files and sounds below a folder. What else is there stays. */
export async function writeFolder(folder: string, files: readonly { name: string; content: string | Uint8Array }[]): Promise<void> {
  for (const { name, content } of files) {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}

/** Puts the folder's sounds where calls find them; those that are there already are sent again and change nothing. */
export async function bringSounds(api: ApiClient, folder: string, sounds: readonly { file: string }[]): Promise<void> {
  for (const { file } of sounds) {
    await api.send('PUT', `/v1/prompt-files/${file}`, {
      body: await readFile(join(folder, file)),
      headers: { 'content-type': 'audio/wav' },
    })
  }
}

/** `file:line:column: message (expected ...)`, as editors understand it. */
export function problemText(problem: ConfigProblem): string {
  const { severity, message, file, line, column, kind, id, pointer, expected } = problem
  const place =
    file === undefined
      ? [kind, id, pointer].filter((part) => part !== undefined).join(' ')
      : [file, line, column].filter((part) => part !== undefined).join(':')
  const hint = expected === undefined || message.includes(expected) ? '' : ` (expected ${expected})`
  return `${place === '' ? '' : `${place}: `}${severity === 'warning' ? 'warning: ' : ''}${message}${hint}`
}

async function soundsOf(folder: string, files: readonly { name: string; text: string }[]): Promise<FolderSound[]> {
  const named = new Set(ofKind(readDocuments(files).documents, 'prompt').flatMap(({ file }) => file ?? []))
  const sounds: FolderSound[] = []
  for (const file of named) {
    const facts = await inspectSound(join(folder, file))
    if (facts.kind === 'facts') sounds.push({ file, ms: facts.ms, sha256: hash('sha256', await readFile(join(folder, file))) })
    // One that is not here may be among the company's sounds already: the plan says so if it is not.
    else if (facts.expected !== 'a readable file')
      throw new Trouble(`${join(folder, file)}: byte ${facts.offset}: expected ${facts.expected}, found ${facts.found}`)
  }
  return sounds
}
