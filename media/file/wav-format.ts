import type { BadSound, SoundSource } from '#media/file/sound.ts'

/** What the header of a WAV file says, and where its samples lie. */
export interface WavLayout extends SoundSource {
  kind: 'wav'
  /** Octets of one sample of one channel. */
  sampleBytes: number
  dataOffset: number
  /** Whole sample frames (one sample of each channel) that are there. */
  frames: number
}

const PCM = 1
const FLOAT = 3
const ALAW = 6
const MULAW = 7
const EXTENSIBLE = 0xfffe

/** Rates that are resampled to the telephone's 8 kHz. */
export const LOWEST_RATE_HZ = 8000
export const HIGHEST_RATE_HZ = 48_000

/** Header chunks looked at before giving up: files with thousands are no prompts. */
const MOST_CHUNKS = 256

/**
 * Reads the header of a WAV file: RIFF chunks in any order, odd ones padded, unknown ones (`LIST`, `bext`, `fact`, ...) passed
 * over. A data size of 0 or 0xFFFFFFFF (a writer that could not seek back) or beyond the end means: up to the end.
 */
export function readWavFormat(bytes: Uint8Array): WavLayout | BadSound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || ascii(bytes, 0) !== 'RIFF') return bad(0, 'a WAV file (RIFF)', recognised(bytes))
  if (ascii(bytes, 8) !== 'WAVE') return bad(8, 'WAVE', `RIFF of type ${printable(ascii(bytes, 8))}`)
  let format: Format | null = null
  let offset = 12
  for (let chunk = 0; chunk < MOST_CHUNKS && offset + 8 <= bytes.length; chunk++) {
    const id = ascii(bytes, offset)
    const size = view.getUint32(offset + 4, true)
    if (id === 'data')
      return format === null ? bad(offset, 'a fmt chunk before data', 'data') : layout(format, bytes.length, offset + 8, size)
    if (id === 'fmt ') {
      const read = readFormat(view, offset + 8, size)
      if (read.kind === 'bad-sound') return read
      format = read
    }
    offset += 8 + size + (size & 1)
  }
  return bad(Math.min(offset, bytes.length), format === null ? 'a fmt chunk' : 'a data chunk', 'the end of the file')
}

/** A named refusal; the file is filled in by who knows it. */
export function bad(offset: number, expected: string, found: string): BadSound {
  return { kind: 'bad-sound', file: '', offset, expected, found }
}

interface Format {
  kind: 'format'
  encoding: SoundSource['encoding']
  bits: number
  channels: number
  rateHz: number
}

function readFormat(view: DataView, at: number, size: number): Format | BadSound {
  if (size < 16 || at + size > view.byteLength) return bad(at - 4, 'a fmt chunk of at least 16 bytes, whole', `${size} bytes`)
  const tag = view.getUint16(at, true)
  const extended = tag === EXTENSIBLE && size >= 40
  const code = extended ? view.getUint16(at + 24, true) : tag
  const encoding = ENCODINGS.get(code)
  if (encoding === undefined)
    return bad(extended ? at + 24 : at, 'PCM, float, A-law or mu-law', `format 0x${code.toString(16).padStart(4, '0')}`)
  const channels = view.getUint16(at + 2, true)
  if (channels !== 1 && channels !== 2) return bad(at + 2, 'one or two channels', `${channels}`)
  const rateHz = view.getUint32(at + 4, true)
  if (rateHz < LOWEST_RATE_HZ || rateHz > HIGHEST_RATE_HZ) return bad(at + 4, `${LOWEST_RATE_HZ} to ${HIGHEST_RATE_HZ} Hz`, `${rateHz} Hz`)
  const bits = view.getUint16(at + 14, true)
  const allowed = BITS[encoding]
  if (!allowed.includes(bits)) return bad(at + 14, `${allowed.join(', ')} bits a sample`, `${bits}`)
  return { kind: 'format', encoding, bits, channels, rateHz }
}

const ENCODINGS = new Map<number, SoundSource['encoding']>([
  [PCM, 'pcm'],
  [FLOAT, 'float'],
  [ALAW, 'alaw'],
  [MULAW, 'mulaw'],
])

const BITS: Readonly<Record<SoundSource['encoding'], readonly number[]>> = { pcm: [8, 16, 24, 32], float: [32, 64], alaw: [8], mulaw: [8] }

function layout(format: Format, fileBytes: number, dataOffset: number, size: number): WavLayout {
  const there = fileBytes - dataOffset
  const open = size === 0 || size === 0xffffffff
  const bytes = open ? there : Math.min(size, there)
  const sampleBytes = format.bits / 8
  const frames = Math.floor(bytes / (sampleBytes * format.channels))
  return { ...format, kind: 'wav', sampleBytes, dataOffset, frames, truncated: !open && size > there }
}

function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}

function printable(text: string): string {
  return JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, '.'))
}

/** What a file that is no WAV seems to be: the commonest mistake is another sound format under a changed name. */
function recognised(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file'
  const start = ascii(bytes, 0)
  if (start === 'OggS') return 'an Ogg file'
  if (start === 'fLaC') return 'a FLAC file'
  if (start === 'FORM') return 'an AIFF file'
  if (start === 'RF64') return 'an RF64 file'
  if (start.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0)) return 'an MP3 file'
  return printable(start)
}
