import { RTP_HEADER_BYTES } from '#media/rtp/header.ts'

/** Longest payload that we generate: one Opus frame (RFC 6716 §3.4); 60 ms of G.711 or G.722 are 480. */
const LONGEST_PAYLOAD = 1275

/** Where packets of our own are built, in turn: sending may still hold one for a moment when the network is busy. */
const scratch = Array.from({ length: 64 }, () => Buffer.alloc(RTP_HEADER_BYTES + LONGEST_PAYLOAD))
let scratchTurn = 0

/** Their beginnings, made once, by length: there are few. */
const beginnings: (Buffer | undefined)[][] = Array.from({ length: RTP_HEADER_BYTES + LONGEST_PAYLOAD }, () => [])

/** Room for one packet to be built and sent, so long or the longest; its content is not kept. */
export function nextScratch(bytes?: number): Buffer {
  scratchTurn = (scratchTurn + 1) & 63
  const whole = scratch[scratchTurn] as Buffer
  const ofLength = bytes === undefined ? undefined : beginnings[bytes]
  return ofLength === undefined ? whole : (ofLength[scratchTurn] ??= whole.subarray(0, bytes))
}
