import { CounterCipher } from '#media/srtp/counter-cipher.ts'
import { GcmCipher } from '#media/srtp/gcm-cipher.ts'
import { sessionKeys } from '#media/srtp/key-derivation.ts'
import type { PacketCipher } from '#media/srtp/packet-cipher.ts'
import { SUITES, type SrtpKey } from '#media/srtp/suites.ts'

/** The cipher of a key; null when the key is not as long as its suite wants. */
export function openCipher(key: SrtpKey): PacketCipher | null {
  const keys = sessionKeys(key)
  const terms = SUITES[key.suite]
  if (keys === null) return null
  return terms.mode === 'gcm' ? new GcmCipher(keys) : new CounterCipher(keys, terms)
}

/** Where the header of an RTP packet ends, behind CSRCs and extension; -1: not within [0, end). Padding is encrypted, and not looked at. */
export function headerEnd(packet: Buffer, end: number): number {
  const first = packet[0] as number
  const head = 12 + (first & 0x0f) * 4
  if ((first & 0x10) === 0) return head <= end ? head : -1
  if (head + 4 > end) return -1
  const extended = head + 4 + packet.readUInt16BE(head + 2) * 4
  return extended <= end ? extended : -1
}
