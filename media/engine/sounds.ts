import { G711_PER_MS, type G711Law } from '#media/codec/g711.ts'
import type { PlayItem } from '#media/engine.ts'
import { type Clip, silentClip } from '#media/engine/clip.ts'
import { toneLoop } from '#media/tone/tones.ts'

/** A sound that cannot be played, and why, for the log and `onPlayed`. */
export interface SoundFault {
  kind: 'fault'
  cause: string
}

/** Reads sound files, off the packet path. */
export interface SoundReader {
  /** The file's G.711 octets; `stamp` changes when the file does. */
  read(file: string, codec: G711Law): Promise<{ octets: Buffer; stamp: string } | SoundFault>
  /** What `read` would now give as the stamp; null when the file is not there. */
  stampOf(file: string): Promise<string | null>
}

/** Sounds kept ready take at most so many bytes: over two hours of G.711. */
const MOST_BYTES = 64 * 1024 * 1024
/** Tones kept ready: five of each country in both laws. */
const MOST_TONES = 128

interface Kept {
  octets: Buffer
  stamp: string
}

/**
 * Turns play items into clips. A file is read and encoded once per codec and shared by everybody who plays it; the least
 * recently used are forgotten when they take too much memory. A file that was replaced is read again.
 */
export class Sounds {
  readonly #reader: SoundReader
  readonly #country: string
  readonly #mostBytes: number
  readonly #files = new Map<string, Kept>()
  readonly #reading = new Map<string, Promise<Kept | SoundFault>>()
  readonly #tones = new Map<string, Buffer>()
  #bytes = 0

  /** `country`: whose call-progress tones, where a play does not say. */
  constructor(reader: SoundReader, country: string, mostBytes = MOST_BYTES) {
    this.#reader = reader
    this.#country = country
    this.#mostBytes = mostBytes
  }

  /** Bytes of files kept ready. */
  get bytes(): number {
    return this.#bytes
  }

  /** Everything needed to play `items`, or the first fault. Tones and silence alone are given at once, without a promise. */
  clips(items: readonly PlayItem[], codec: G711Law): readonly Clip[] | Promise<readonly Clip[] | SoundFault> {
    if (items.every((item) => item.kind !== 'file')) return items.map((item) => this.#made(item, codec))
    return this.#gather(items, codec)
  }

  async #gather(items: readonly PlayItem[], codec: G711Law): Promise<readonly Clip[] | SoundFault> {
    const clips: Clip[] = []
    for (const item of items) {
      if (item.kind !== 'file') {
        clips.push(this.#made(item, codec))
        continue
      }
      const kept = await this.#file(item.file, codec)
      if ('kind' in kept) return kept
      clips.push({ octets: kept.octets, length: kept.octets.length })
    }
    return clips
  }

  #made(item: Exclude<PlayItem, { kind: 'file' }>, codec: G711Law): Clip {
    if (item.kind === 'silence') return silentClip(item.ms)
    const country = item.plan ?? this.#country
    const key = `${country} ${item.tone} ${codec}`
    const octets = this.#tones.get(key) ?? Buffer.from(toneLoop(country, item.tone, codec))
    if (this.#tones.size < MOST_TONES) this.#tones.set(key, octets)
    return { octets, length: item.ms === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Math.round(item.ms)) * G711_PER_MS }
  }

  async #file(file: string, codec: G711Law): Promise<Kept | SoundFault> {
    const key = `${codec} ${file}`
    const kept = this.#files.get(key)
    if (kept !== undefined && (await this.#reader.stampOf(file)) === kept.stamp) {
      if (this.#files.delete(key)) this.#files.set(key, kept)
      return kept
    }
    const reading = this.#reading.get(key) ?? this.#read(key, file, codec)
    this.#reading.set(key, reading)
    return reading
  }

  async #read(key: string, file: string, codec: G711Law): Promise<Kept | SoundFault> {
    const read = await this.#reader.read(file, codec)
    this.#reading.delete(key)
    if ('kind' in read) return read
    this.#forget(key)
    this.#files.set(key, read)
    this.#bytes += read.octets.length
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#mostBytes || oldest === key) break
      this.#forget(oldest)
    }
    return read
  }

  #forget(key: string): void {
    this.#bytes -= this.#files.get(key)?.octets.length ?? 0
    this.#files.delete(key)
  }
}
