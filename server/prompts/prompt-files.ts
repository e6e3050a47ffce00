import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Value } from 'typebox/value'
import type { Random } from '#base/ids.ts'
import { SoundPath } from '#contract/documents/prompt.ts'
import { describeBadSound, inspectSound } from '#media/file/read-sound.ts'

/** A sound file of a company. */
export interface PromptFile {
  /** As prompts name it. */
  path: string
  bytes: number
}

export type Kept =
  | { kind: 'kept'; ms: number }
  | { kind: 'bad-path' }
  | { kind: 'bad-sound'; why: string }
  | { kind: 'full'; limitBytes: number }

/** Largest sound file taken: a quarter of an hour at 8 kHz in 16 bits. */
export const largestSoundBytes = 16 * 1024 * 1024

/** All sound files of one company together. */
const companyBytes = 1024 * 1024 * 1024

/** Folders deep, as paths of prompts may be. */
const deepest = 6

/** The sound files that companies brought, `<folder>/<tenant>/<path>`. No path leads out of its company's folder: it has neither `..` nor hidden names. */
export class PromptFiles {
  readonly #folder: string
  readonly #random: Random

  constructor(folder: string, random: Random) {
    this.#folder = folder
    this.#random = random
  }

  /** In order of their paths. */
  async list(tenant: string): Promise<PromptFile[]> {
    const files = await this.#under(join(this.#folder, tenant), '', deepest)
    return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Null: there is none. */
  async read(tenant: string, path: string): Promise<Uint8Array | null> {
    if (!isPath(path)) return null
    return readFile(join(this.#folder, tenant, path)).catch(() => null)
  }

  /** Keeps a sound under a path, in place of what was there; one that cannot be played is refused and changes nothing. */
  async keep(tenant: string, path: string, sound: Uint8Array): Promise<Kept> {
    if (!isPath(path)) return { kind: 'bad-path' }
    const others = (await this.list(tenant)).filter((file) => file.path !== path)
    if (others.reduce((sum, file) => sum + file.bytes, sound.length) > companyBytes) return { kind: 'full', limitBytes: companyBytes }
    const file = join(this.#folder, tenant, path)
    await mkdir(dirname(file), { recursive: true })
    const fresh = join(dirname(file), `.${this.#random.hex(8)}.part`)
    try {
      await writeFile(fresh, sound)
      const facts = await inspectSound(fresh)
      if (facts.kind === 'bad-sound') return { kind: 'bad-sound', why: describeBadSound({ ...facts, file: path }) }
      await rename(fresh, file)
      return { kind: 'kept', ms: facts.ms }
    } finally {
      await rm(fresh, { force: true })
    }
  }

  async #under(folder: string, prefix: string, depth: number): Promise<PromptFile[]> {
    if (depth === 0) return []
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    const found = await Promise.all(
      entries.map(async (entry): Promise<PromptFile[]> => {
        const path = `${prefix}${entry.name}`
        if (entry.isDirectory()) return this.#under(join(folder, entry.name), `${path}/`, depth - 1)
        if (!entry.isFile() || !isPath(path)) return []
        return [{ path, bytes: (await stat(join(folder, entry.name))).size }]
      }),
    )
    return found.flat()
  }
}

function isPath(path: string): boolean {
  return Value.Check(SoundPath, path)
}
