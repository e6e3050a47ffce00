/**
 * ITU-T G.711 A-law and mu-law. Everything works on buffers the caller owns and allocates nothing, so it may stand on the
 * packet path. PCM is linear 16 bit; A-law carries 13 bits of it and mu-law 14, as in ITU-T G.191's reference code.
 */

/** Samples per second of G.711, and its RTP clock rate (RFC 3551 §4.5.14). */
export const G711_RATE_HZ = 8000

/** Octets, and samples, of one millisecond of G.711. */
export const G711_PER_MS = 8

/** The two laws, by their names in SDP. */
export type G711Law = 'PCMU' | 'PCMA'

/** The octet that decodes to (nearly) zero: what silence is made of. */
export const SILENCE: Readonly<Record<G711Law, number>> = { PCMU: 0xff, PCMA: 0xd5 }

/** Largest magnitudes that the decoders give. */
const MU_BIAS = 33

const muDecode = Int16Array.from({ length: 256 }, (_, octet) => expandMu(octet))
const aDecode = Int16Array.from({ length: 256 }, (_, octet) => expandA(octet))
/** Indexed by the sample's upper 14 bits, offset to be positive. */
const muEncode = Uint8Array.from({ length: 1 << 14 }, (_, i) => compressMu((i - (1 << 13)) * 4))
/** Indexed by the sample's upper 13 bits, offset to be positive. */
const aEncode = Uint8Array.from({ length: 1 << 13 }, (_, i) => compressA((i - (1 << 12)) * 8))
const muToA = Uint8Array.from({ length: 256 }, (_, octet) => compressA(expandMu(octet)))
const aToMu = Uint8Array.from({ length: 256 }, (_, octet) => compressMu(expandA(octet)))

/** Decodes `payload` into `pcm` from `at`; samples that do not fit are left out. Returns how many samples were written. */
export function decodeInto(codec: G711Law, payload: Uint8Array, pcm: Int16Array, at = 0): number {
  const table = codec === 'PCMA' ? aDecode : muDecode
  const count = Math.max(0, Math.min(payload.length, pcm.length - at))
  for (let i = 0; i < count; i++) pcm[at + i] = table[payload[i] as number] as number
  return count
}

/** Encodes `pcm` into `payload` from `at`; what does not fit is left out. Returns how many octets were written. */
export function encodeInto(codec: G711Law, pcm: Int16Array, payload: Uint8Array, at = 0): number {
  const count = Math.max(0, Math.min(pcm.length, payload.length - at))
  if (codec === 'PCMA') for (let i = 0; i < count; i++) payload[at + i] = aEncode[((pcm[i] as number) >> 3) + 4096] as number
  else for (let i = 0; i < count; i++) payload[at + i] = muEncode[((pcm[i] as number) >> 2) + 8192] as number
  return count
}

/** Turns one law into the other where the octets stand (G.711 §3.3: through the nearest quantised value). The same law: nothing to do. */
export function transcodeInPlace(from: G711Law, to: G711Law, payload: Uint8Array): void {
  if (from === to) return
  const table = from === 'PCMA' ? aToMu : muToA
  for (let i = 0; i < payload.length; i++) payload[i] = table[payload[i] as number] as number
}

/** The sample one octet stands for. */
export function decodeSample(codec: G711Law, octet: number): number {
  return (codec === 'PCMA' ? aDecode : muDecode)[octet & 0xff] as number
}

/** Encodes a whole sound, for payloads that are prepared once and sent often. */
export function encodeAll(codec: G711Law, pcm: Int16Array): Uint8Array {
  const payload = new Uint8Array(pcm.length)
  encodeInto(codec, pcm, payload)
  return payload
}

/** Decodes a whole payload into a new array. */
export function decodeAll(codec: G711Law, payload: Uint8Array): Int16Array {
  const pcm = new Int16Array(payload.length)
  decodeInto(codec, payload, pcm)
  return pcm
}

function expandMu(octet: number): number {
  const code = ~octet & 0xff
  const magnitude = ((((code & 0x0f) << 1) + MU_BIAS) << ((code >> 4) & 7)) - MU_BIAS
  return (code & 0x80 ? -magnitude : magnitude) * 4
}

function compressMu(sample: number): number {
  const magnitude = Math.min((sample < 0 ? ~sample : sample) >> 2, 8191 - MU_BIAS) + MU_BIAS
  const segment = 26 - Math.clz32(magnitude)
  const code = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0f)
  return ~(sample < 0 ? code | 0x80 : code) & 0xff
}

function expandA(octet: number): number {
  const code = octet ^ 0x55
  const segment = (code >> 4) & 7
  const step = ((code & 0x0f) << 1) | 1
  const magnitude = segment === 0 ? step : (step + 32) << (segment - 1)
  return (code & 0x80 ? magnitude : -magnitude) * 8
}

function compressA(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4
  const segment = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude)
  const code = magnitude < 16 ? magnitude : (segment << 4) | ((magnitude >> (segment - 1)) & 0x0f)
  return (sample < 0 ? code : code | 0x80) ^ 0x55
}

/** Whether a codec is one of the two laws, between which a table is enough. */
export function isG711(codec: string): codec is G711Law {
  return codec === 'PCMA' || codec === 'PCMU'
}
