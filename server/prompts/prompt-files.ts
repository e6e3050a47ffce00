import { createHash } from 'node:crypto'
import { constants, copyFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Check } from 'typebox/schema'
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

/** Contents that versions of the configuration refer to, beside the paths of a company: no path begins with a dot. */
const contents = '.contents'

/** Where the content with a hash is kept, whether or not it is there. */
export function contentFile(folder: string, tenant: string, sha256: string): string {
  return join(folder, tenant, contents, `${sha256}.wav`)
}

/**
 * The sound files that companies brought, `<folder>/<tenant>/<path>`. No path leads out of its company's folder: it has neither `..` nor hidden names.
 * What lies under a path may change; a version of the configuration refers to a content by its SHA-256, which stays as long as the version does.
 */
export class PromptFiles {
  readonly #folder: string
  readonly #random: Random
  /** Hashes of files as they last were: by path, with inode, size and time. */
  readonly #hashes = new Map<string, { stamp: string; sha256: string }>()
  #turn: Promise<unknown> = Promise.resolve()

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
    if ((await this.#bytesOf(tenant, path)) + sound.length > companyBytes) return { kind: 'full', limitBytes: companyBytes }
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

  /** The SHA-256 of what lies under a path now, which from here on is kept under it until `prune`; null: nothing lies there. */
  pin(tenant: string, path: string): Promise<string | null> {
    return this.#inTurn(async () => {
      if (!isPath(path)) return null
      const file = join(this.#folder, tenant, path)
      const sha256 = await this.#hashOf(file).catch(() => null)
      if (sha256 === null) return null
      const content = contentFile(this.#folder, tenant, sha256)
      const kept = await stat(content).catch(() => null)
      // Touched, so that the round does not take it before a version refers to it.
      if (kept !== null) await utimes(content, kept.atime, kept.mtime)
      else await this.#copy(file, content)
      return sha256
    })
  }

  /** Puts a kept content back under a path. False: it is not kept any more, and nothing has changed. */
  restore(tenant: string, path: string, sha256: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const content = contentFile(this.#folder, tenant, sha256)
      if (!isPath(path) || (await stat(content).catch(() => null)) === null) return false
      await this.#copy(content, join(this.#folder, tenant, path))
      return true
    })
  }

  /** Removes the contents that no version refers to and nobody has pinned since `before` (ms since the Unix epoch). Returns how many. */
  prune(tenant: string, referred: ReadonlySet<string>, before: number): Promise<number> {
    return this.#inTurn(async () => {
      const folder = join(this.#folder, tenant, contents)
      let removed = 0
      for (const name of await readdir(folder).catch(() => [])) {
        const file = join(folder, name)
        if (referred.has(name.replace(/\.wav$/, '')) || (await stat(file)).ctimeMs >= before) continue
        await rm(file, { force: true })
        removed++
      }
      return removed
    })
  }

  /** Whole or not at all. A copy, where the file system knows how one that takes no room: bytes under a path may be written over in place. */
  async #copy(from: string, to: string): Promise<void> {
    await mkdir(dirname(to), { recursive: true })
    const fresh = join(dirname(to), `.${this.#random.hex(8)}.part`)
    try {
      await copyFile(from, fresh, constants.COPYFILE_FICLONE)
      await rename(fresh, to)
    } finally {
      await rm(fresh, { force: true })
    }
  }

  /** What a company has on the disk, former sounds included, but for what `except` names. */
  async #bytesOf(tenant: string, except: string): Promise<number> {
    const paths = (await this.list(tenant)).flatMap(({ path }) => (path === except ? [] : [path]))
    const kept = (await readdir(join(this.#folder, tenant, contents)).catch(() => [])).map((name) => join(contents, name))
    const sizes = await Promise.all(
      [...paths, ...kept].map((name) =>
        stat(join(this.#folder, tenant, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    )
    return sizes.reduce((sum, bytes) => sum + bytes, 0)
  }

  /** One after the other, so that nothing is removed that is being referred to. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #hashOf(file: string): Promise<string> {
    const { ino, size, mtimeMs } = await stat(file)
    const stamp = `${ino} ${size} ${mtimeMs}`
    const known = this.#hashes.get(file)
    if (known?.stamp === stamp) return known.sha256
    const sha256 = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    this.#hashes.set(file, { stamp, sha256 })
    return sha256
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
  return Check(SoundPath, path)
}
