import { encodeInto, G711_RATE_HZ, type G711Law } from '#media/codec/g711.ts'

/** Octets before the samples in what `writeWav` and `wavHeader` give. */
export const WAV_HEADER_BYTES = 44

/** A mono WAV file of PCM16 samples, or of G.711 when `codec` is given. */
export function writeWav(pcm: Int16Array, options: { rateHz?: number; codec?: G711Law } = {}): Uint8Array {
  const sampleBytes = options.codec === undefined ? 2 : 1
  const bytes = new Uint8Array(WAV_HEADER_BYTES + pcm.length * sampleBytes)
  bytes.set(wavHeader(pcm.length * sampleBytes, options))
  if (options.codec !== undefined) encodeInto(options.codec, pcm, bytes, WAV_HEADER_BYTES)
  else writePcm16(pcm, bytes, WAV_HEADER_BYTES)
  return bytes
}

/** The header of a mono WAV file with so many octets of samples; a file being written gets it anew as it grows. */
export function wavHeader(dataBytes: number, options: { rateHz?: number; codec?: G711Law } = {}): Uint8Array {
  const rateHz = options.rateHz ?? G711_RATE_HZ
  const sampleBytes = options.codec === undefined ? 2 : 1
  const header = new Uint8Array(WAV_HEADER_BYTES)
  const view = new DataView(header.buffer)
  const text = (at: number, value: string): void => void new TextEncoder().encodeInto(value, header.subarray(at))
  text(0, 'RIFF')
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, formatTag(options.codec), true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rateHz, true)
  view.setUint32(28, rateHz * sampleBytes, true)
  view.setUint16(32, sampleBytes, true)
  view.setUint16(34, sampleBytes * 8, true)
  text(36, 'data')
  view.setUint32(40, dataBytes, true)
  return header
}

/** PCM16 as little-endian octets, whatever the machine's own order. */
export function writePcm16(pcm: Int16Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < pcm.length; i++) {
    const sample = pcm[i] as number
    bytes[at + 2 * i] = sample & 0xff
    bytes[at + 2 * i + 1] = sample >> 8
  }
}

function formatTag(codec: G711Law | undefined): number {
  if (codec === undefined) return 1
  return codec === 'PCMA' ? 6 : 7
}
