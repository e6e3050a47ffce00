import type { Millis } from '#base/clock.ts'
import type { Codec, Direction, StreamParams } from '#media/engine.ts'
import type { LocalCrypto } from '#media/sdp/crypto.ts'
import type { Sdp } from '#media/sdp/sdp.ts'

/** What one side of ours brings to an offer or an answer. */
export interface LocalMedia {
  /** What the peer shall be told: the public address, or the local one for peers in local networks. */
  address: string
  port: number
  /** In order of preference; what is not listed is not agreed to. */
  codecs: readonly Codec[]
  /** What we want: `sendonly` to hold with music, `inactive` to hold without. The answer gives it as far as the offer lets it. */
  direction: Direction
  /** Packet time that we ask for, 10 to 60. */
  ptimeMs: number
  /** Payload type of telephone-event in our offers; in answers the offer's is used. Default 101. */
  dtmfPayloadType?: number
  /** Numeric, `o=` (RFC 8866 §5.2): one per leg. */
  sessionId: string
  /** Encryption by keys in the SDP (RFC 4568); absent: streams in clear only. */
  crypto?: LocalCrypto | undefined
}

/** What is known about the other side beside its SDP. */
export interface Peer {
  /** Where its signalling comes from. */
  signallingAddress: string
  /** Networks that are reached without NAT, as CIDR (`192.168.0.0/16`, `fd00::/8`). */
  localNetworks: readonly string[]
  /** For StreamParams.silenceMs; 0 never. */
  silenceMs: Millis
}

/** Both sides agree. `sdp` is ours, to be kept: the next offer or answer of this leg is made over it. */
export interface Agreed {
  kind: 'agreed'
  sdp: Sdp
  stream: StreamParams
}

/** No agreement: SIP status (400, 415, 488) and the reason in words for a Warning header and the log. */
export interface Refused {
  kind: 'refused'
  status: 400 | 415 | 488
  why: string
}
