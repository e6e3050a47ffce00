/**
 * Where a packet stands in its stream. The index is cut in two so that it stays in small integers: of RTP the rollover counter
 * and the sequence number, of RTCP the upper and the lower 16 of its 31 bits (RFC 3711 §3.3.1, §3.4).
 */
export interface Place {
  ssrc: number
  high: number
  low: number
}

/** One suite under one direction's keys. Works in place; a buffer to seal in has room for `SEAL_BYTES` behind `end`. */
export interface PacketCipher {
  /** Seals the RTP packet [0, end) whose header ends at `head`; the end of the protected packet. */
  sealRtp(packet: Buffer, head: number, end: number, place: Place): number
  /** Opens what `sealRtp` made; the end of the plain packet, -1 when the tag is not right. The packet is then as it was. */
  openRtp(packet: Buffer, head: number, end: number, place: Place): number
  /** Seals a compound RTCP packet behind its first 8 octets; `place` is its index. */
  sealRtcp(packet: Buffer, end: number, place: Place): number
  /** Opens it; the index is read by whoever calls, from where `rtcpIndexAt` says. */
  openRtcp(packet: Buffer, end: number, place: Place): number
  /** Where the word with the E flag and the index begins. */
  rtcpIndexAt(end: number): number
  /** Shortest protected packets, octets. */
  readonly leastRtp: number
  readonly leastRtcp: number
}

/** What a seal may add: a tag of 16 octets and the RTCP index. */
export const SEAL_BYTES = 20

/** Encrypted: the highest bit of the word that carries the index. */
export const E_FLAG = 0x8000_0000

/** The header of an RTCP packet that stays in clear: its first word and the sender's SSRC. */
export const RTCP_CLEAR_BYTES = 8
