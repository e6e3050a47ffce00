import { createHash } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { describeBadSound, readSound } from '#media/file/read-sound.ts'
import { writeWav } from '#media/file/write-wav.ts'
import { type ProgramEnd, runProgram } from '#media/speech/run-program.ts'
import { LONGEST_TEXT, type Speech, SpeechError, type SpeechOptions, type SpeechProgram } from '#media/speech/speech-port.ts'

export interface CachedSpeechOptions {
  folder: string
  log: Log
  /** What the folder may take; beyond, the files that were asked for longest ago go. */
  mostBytes: number
  programs: readonly SpeechProgram[]
  /** For tests: how a program is run. */
  run?: typeof runProgram
  /** For tests: wall time, to tell which files were asked for last. */
  wall?: () => number
}

/** A program that speaks for longer has hung. */
const TIMEOUT_MS = 30_000

/** Programs at work at once. */
const MOST_AT_ONCE = 2

/** Changes when what is made of the same text changes: earlier files are no longer found, and go in time. */
const EDITION = 1

/** Speech by programs, each text spoken once: files are named by the hash of what was said and how. */
export class CachedSpeech implements Speech {
  readonly #options: CachedSpeechOptions
  readonly #run: typeof runProgram
  readonly #wall: () => number
  readonly #underWay = new Map<string, Promise<string>>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: CachedSpeechOptions) {
    this.#options = options
    this.#run = options.run ?? runProgram
    this.#wall = options.wall ?? (() => systemClock.wall())
  }

  async synthesize(text: string, how: SpeechOptions): Promise<string> {
    check(text, how)
    let found: SpeechProgram | null = null
    for (const program of this.#options.programs) {
      if (program.arguments(how, '') === null) continue
      found = program
      const file = await this.#speak(program, text, how)
      if (file !== null) return file
    }
    if (found === null) throw new SpeechError('bad-voice', `no speech program has ${JSON.stringify(how)}`)
    const ways = this.#options.programs.map(({ name, install }) => `${name} (${install})`)
    throw new SpeechError('no-program', `no speech program is installed: install ${ways.join(' or ')}`)
  }

  /** The file, from the cache or spoken now; null when the program is not installed. */
  async #speak(program: SpeechProgram, text: string, how: SpeechOptions): Promise<string | null> {
    const file = join(this.#options.folder, `${keyOf(program, text, how)}.wav`)
    if (await this.#touch(file)) return file
    const before = this.#underWay.get(file)
    if (before !== undefined) return before
    const made = this.#inTurn(() => this.#make(program, text, how, file))
    const settled = made.then((ok) => (ok ? file : Promise.reject(new NotInstalled())))
    this.#underWay.set(file, settled)
    try {
      return await settled
    } catch (error) {
      if (error instanceof NotInstalled) return null
      throw error
    } finally {
      this.#underWay.delete(file)
    }
  }

  async #make(program: SpeechProgram, text: string, how: SpeechOptions, file: string): Promise<boolean> {
    await mkdir(this.#options.folder, { recursive: true })
    const raw = `${file}.raw`
    try {
      const end = await this.#run(program.name, program.arguments(how, raw) ?? [], { input: `${text}\n`, timeoutMs: TIMEOUT_MS })
      if (end.kind === 'missing') return false
      if (end.kind !== 'done') throw failure(program, end)
      const sound = await readSound(raw)
      if (sound.kind === 'bad-sound') throw new SpeechError('failed', `${program.name} gave no sound: ${describeBadSound(sound)}`)
      await writeFile(`${file}.new`, writeWav(sound.pcm))
      await rename(`${file}.new`, file)
      this.#options.log.info('text spoken', { program: program.name, language: how.language, ms: sound.ms })
    } finally {
      await rm(raw, { force: true })
    }
    await this.#bound()
    return true
  }

  /** Runs no more than so many programs at once; the others wait their turn. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  /** Marks a file as asked for now; false when there is none. */
  async #touch(file: string): Promise<boolean> {
    const now = this.#wall() / 1000
    return utimes(file, now, now).then(
      () => true,
      () => false,
    )
  }

  /** Removes what was asked for longest ago until the rest fits. */
  async #bound(): Promise<void> {
    const names = (await readdir(this.#options.folder)).filter((name) => name.endsWith('.wav'))
    const files = await Promise.all(names.map((name) => this.#age(join(this.#options.folder, name))))
    let bytes = files.reduce((sum, { size }) => sum + size, 0)
    for (const { file, size } of files.toSorted((a, b) => a.at - b.at)) {
      if (bytes <= this.#options.mostBytes) return
      await rm(file, { force: true })
      bytes -= size
    }
  }

  async #age(file: string): Promise<{ file: string; size: number; at: number }> {
    const found = await stat(file).catch(() => null)
    return { file, size: found?.size ?? 0, at: found?.mtimeMs ?? 0 }
  }
}

class NotInstalled extends Error {}

function check(text: string, { language, voice }: SpeechOptions): void {
  if (!/[\p{L}\p{N}]/u.test(text)) throw new SpeechError('bad-text', 'there is nothing to speak')
  if (text.length > LONGEST_TEXT)
    throw new SpeechError('bad-text', `the text has ${text.length} characters, at most ${LONGEST_TEXT} are spoken`)
  // They become arguments of programs: nothing that could be an option or a path.
  if (!SAFE.test(language)) throw new SpeechError('bad-voice', `not a language: ${JSON.stringify(language)}`)
  if (voice !== undefined && !SAFE.test(voice)) throw new SpeechError('bad-voice', `not a voice: ${JSON.stringify(voice)}`)
}

const SAFE = /^[A-Za-z0-9][A-Za-z0-9+_-]{0,59}$/

function failure(program: SpeechProgram, end: Exclude<ProgramEnd, { kind: 'done' | 'missing' }>): SpeechError {
  if (end.kind === 'timeout') return new SpeechError('timeout', `${program.name} did not finish within ${TIMEOUT_MS / 1000} s`)
  return new SpeechError('failed', `${program.name}: ${end.why}`)
}

function keyOf(program: SpeechProgram, text: string, how: SpeechOptions): string {
  const said = JSON.stringify([EDITION, program.name, program.arguments(how, ''), text])
  return createHash('sha256').update(said).digest('hex').slice(0, 40)
}
