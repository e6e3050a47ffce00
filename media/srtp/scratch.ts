import { SEAL_BYTES } from '#media/srtp/packet-cipher.ts'

/** Longest packet that is protected: what fits into an Ethernet frame. */
export const LONGEST_PACKET = 1500

/** Where protected packets are built, in turn: sending may still hold one for a moment when the network is busy. */
const scratch = Array.from({ length: 64 }, () => Buffer.alloc(LONGEST_PACKET + SEAL_BYTES))
let turn = 0

/** Room for one packet and its seal; its content is not kept. */
export function nextSealScratch(): Buffer {
  turn = (turn + 1) & 63
  return scratch[turn] as Buffer
}
