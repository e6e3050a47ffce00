/** Frame lengths in ms by the configuration number of the TOC octet (RFC 6716 §3.1, table 2). */
const SILK_MS = [10, 20, 40, 60]
const HYBRID_MS = [10, 20]
const CELT_MS = [2.5, 5, 10, 20]

/** Longest packet there can be (RFC 6716 §2.1.4). */
const LONGEST_MS = 120

/**
 * How long the audio of an Opus packet is, in milliseconds (RFC 6716 §3.1, §3.2); 0: it is no Opus packet. Frames inside are not looked into.
 */
export function opusPacketMs(payload: Uint8Array): number {
  const toc = payload[0]
  if (toc === undefined) return 0
  const config = toc >> 3
  const frameMs = config < 12 ? SILK_MS[config & 3] : config < 16 ? HYBRID_MS[config & 1] : CELT_MS[config & 3]
  const code = toc & 3
  const frames = code === 0 ? 1 : code < 3 ? 2 : (payload[1] ?? 0) & 0x3f
  const ms = (frameMs ?? 0) * frames
  return ms <= LONGEST_MS ? ms : 0
}
