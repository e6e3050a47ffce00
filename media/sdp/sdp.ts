/** A session description (RFC 8866), as far as anybody here needs to know it. Lines that are unknown are read over. */
export interface Sdp {
  kind: 'sdp'
  origin: Origin
  /** `s=`; `-` when there is none to tell. */
  sessionName: string
  connection: Connection | null
  attributes: Attribute[]
  media: MediaDescription[]
}

/** `o=` (RFC 8866 §5.2). Ids are kept as text: they may exceed what a number holds. */
export interface Origin {
  username: string
  sessionId: string
  version: string
  addressType: AddressType
  address: string
}

export type AddressType = 'IP4' | 'IP6'

/** `c=` (§5.7). The address may be a name; TTL and count of multicast are left out. */
export interface Connection {
  addressType: AddressType
  address: string
}

/** `a=name` or `a=name:value` (§5.13). */
export interface Attribute {
  readonly name: string
  readonly value: string | null
}

/** `m=` and what belongs to it (§5.14). */
export interface MediaDescription {
  /** `audio`, `video`, `image`, ... */
  type: string
  /** 0: refused, or not in use. */
  port: number
  /** `RTP/AVP`, `RTP/SAVPF`, `udptl`, ... */
  protocol: string
  /** Payload types for RTP, in order of preference. */
  formats: string[]
  connection: Connection | null
  attributes: Attribute[]
}

/** A description that breaks the grammar. */
export interface MalformedSdp {
  kind: 'malformed'
  /** Line, from 1; 0 for the whole. */
  line: number
  /** What was expected there, with the clause. */
  rule: string
}
