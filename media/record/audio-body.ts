import { WAV_HEADER_BYTES, wavHeader, writePcm16 } from '#media/file/write-wav.ts'
import type { FileSink } from '#media/record/file-sink.ts'
import { markLast } from '#media/record/ogg-page.ts'
import { GRANULE_HZ, measureOggOpus, OggOpusWriter } from '#media/record/ogg-opus.ts'

/**
 * The audio of one recording as it goes to its file. Methods throw what the disk says; nothing is lost by that: what was to be
 * written is kept, and `retry` writes it.
 */
export interface AudioBody {
  /** 20 ms more. */
  block(mixed: Int16Array, silent: boolean): void
  /** Writes what an earlier call could not. */
  retry(): void
  /** Writes the end; nothing comes after. */
  finish(): void
}

/** Turns 60 ms of mono PCM at 8 kHz into an Opus packet. */
export interface PacketEncoder {
  /** Samples at 8 kHz by which the output lags. */
  readonly lookahead: number
  encode(pcm: Int16Array): Uint8Array
}

/** Milliseconds of audio that an existing file holds, once it is made ready to go on behind it. */
export interface Reopened {
  ms: number
  /** Logical streams already in it. */
  links: number
}

/** 60 ms: at 12 kbit/s the largest frame spends least on overhead, and a recording has no need of low delay. */
export const PACKET_SAMPLES = 480
const GRANULES_PER_SAMPLE = GRANULE_HZ / 8000

/**
 * A packet that is only its table of contents (RFC 6716 §3.1: SILK narrowband, 60 ms, mono, one frame): nothing was sent, the
 * decoder lets the silence go on. One octet instead of an encoding, for holds, pauses and gaps.
 */
const SILENT_PACKET = Uint8Array.of(3 << 3)

/** Silent packets that are truly encoded before silence is left to the decoder. */
const FADE_PACKETS = 3

const NO_SOUND = new Int16Array(PACKET_SAMPLES)

/** Ogg Opus. */
export class OpusBody implements AudioBody {
  readonly #sink: FileSink
  readonly #encoder: PacketEncoder
  readonly #writer: OggOpusWriter
  readonly #pending = new Int16Array(PACKET_SAMPLES)
  #fill = 0
  #pendingSilent = true
  #silentPackets = 0
  #held = false
  #samples = 0
  #encoded = 0
  #unwritten: Uint8Array | null
  #finished = false

  constructor(sink: FileSink, encoder: PacketEncoder, serial: number) {
    this.#sink = sink
    this.#encoder = encoder
    this.#writer = new OggOpusWriter({ serial, preSkip: encoder.lookahead * GRANULES_PER_SAMPLE })
    this.#unwritten = this.#writer.headers()
  }

  block(mixed: Int16Array, silent: boolean): void {
    this.#pending.set(mixed, this.#fill)
    this.#fill += mixed.length
    this.#samples += mixed.length
    this.#pendingSilent &&= silent
    if (this.#fill === PACKET_SAMPLES) this.#write(this.#packet())
  }

  retry(): void {
    this.#write(null)
  }

  finish(): void {
    if (!this.#finished) {
      this.#finished = true
      // The encoder's look-ahead has to be pushed out behind the last sample.
      while (this.#encoded < this.#samples + this.#encoder.lookahead) {
        this.#pending.fill(0, this.#fill)
        const page = this.#packet()
        if (page !== null) this.#keep(page)
      }
      const last = this.#held ? this.#append(SILENT_PACKET) : null
      if (last !== null) this.#keep(last)
      this.#keep(this.#writer.finish(this.#samples * GRANULES_PER_SAMPLE))
    }
    this.#write(null)
  }

  /** The pending audio becomes a packet; returns a page when one is full. */
  #packet(): Uint8Array | null {
    this.#silentPackets = this.#pendingSilent ? this.#silentPackets + 1 : 0
    const page = this.#silentPackets > FADE_PACKETS ? this.#silence() : this.#sound()
    this.#fill = 0
    this.#pendingSilent = true
    this.#encoded += PACKET_SAMPLES
    return page
  }

  /** One more silent packet. It waits for the next, since the last one before a sound has to be encoded. */
  #silence(): Uint8Array | null {
    const page = this.#held ? this.#append(SILENT_PACKET) : null
    this.#held = true
    return page
  }

  #sound(): Uint8Array | null {
    if (this.#held) {
      // A decoder takes up encoded audio with care after none was sent; let it do so on silence.
      const page = this.#append(this.#encoder.encode(NO_SOUND))
      if (page !== null) this.#keep(page)
      this.#held = false
    }
    return this.#append(this.#encoder.encode(this.#pending))
  }

  #append(packet: Uint8Array): Uint8Array | null {
    return this.#writer.packet(packet, PACKET_SAMPLES * GRANULES_PER_SAMPLE)
  }

  #write(page: Uint8Array | null): void {
    if (page !== null) this.#keep(page)
    if (this.#unwritten === null) return
    this.#sink.append(this.#unwritten)
    this.#unwritten = null
  }

  #keep(page: Uint8Array): void {
    const before = this.#unwritten
    if (before === null) {
      this.#unwritten = page
      return
    }
    const both = new Uint8Array(before.length + page.length)
    both.set(before)
    both.set(page, before.length)
    this.#unwritten = both
  }
}

/**
 * Makes a file left by a dead process ready for a next logical stream: cut after its last whole page, that page marked as the
 * last of its stream (RFC 3533 §4: chained streams).
 */
export function reopenOpus(sink: FileSink): Reopened {
  const bytes = sink.read()
  const extent = measureOggOpus(bytes)
  sink.truncate(extent.bytes)
  if (extent.lastPage !== null) sink.writeAt(markLast(bytes, extent.lastPage), extent.lastPage.offset)
  return { ms: extent.samples / (GRANULE_HZ / 1000), links: extent.links }
}

/** The header is brought up to date after so much audio. */
const WAV_FLUSH_SAMPLES = 8000

/** WAV, PCM16 mono 8 kHz. */
export class WavBody implements AudioBody {
  readonly #sink: FileSink
  readonly #page = new Uint8Array(WAV_FLUSH_SAMPLES * 2)
  #fill = 0
  #begun: boolean

  constructor(sink: FileSink) {
    this.#sink = sink
    this.#begun = sink.size >= WAV_HEADER_BYTES
  }

  block(mixed: Int16Array): void {
    if (this.#fill === this.#page.length) this.retry()
    writePcm16(mixed, this.#page, this.#fill)
    this.#fill += mixed.length * 2
    if (this.#fill === this.#page.length) this.retry()
  }

  retry(): void {
    if (!this.#begun) this.#sink.append(wavHeader(0))
    this.#begun = true
    this.#sink.append(this.#page.subarray(0, this.#fill))
    this.#fill = 0
    this.#sink.writeAt(wavHeader(this.#sink.size - WAV_HEADER_BYTES), 0)
  }

  finish(): void {
    this.retry()
  }
}

/** Makes a WAV file left by a dead process ready to go on behind its last whole sample. */
export function reopenWav(sink: FileSink): Reopened {
  const samples = Math.floor(Math.max(0, sink.size - WAV_HEADER_BYTES) / 2)
  if (sink.size < WAV_HEADER_BYTES) sink.truncate(0)
  else sink.truncate(WAV_HEADER_BYTES + samples * 2)
  return { ms: samples / 8, links: sink.size === 0 ? 0 : 1 }
}
