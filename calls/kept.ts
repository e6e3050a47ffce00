import type { EndpointRef } from '#contract/facts.ts'
import type { Codec, KeptEndpoint, StreamParams } from '#media/engine.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import type { KeptDialog } from '#sip/agent.ts'
import type { LegEncryption } from '#calls/encryption.ts'
import type { CallIdentity } from '#calls/needs.ts'

/** A call as plain data, from which a restarted server takes it over: only what was already talking survives. */
export interface KeptCall {
  identity: CallIdentity
  /** Wall time, ms since the Unix epoch. */
  startedAt: number
  legCount: number
  legs: KeptLeg[]
  recordings: KeptRecording[]
  /** The owner's: where in a flow the call is, or that two legs are bridged. */
  story: unknown
}

export interface KeptLeg {
  id: string
  role: 'caller' | 'callee'
  endpoint: EndpointRef
  dialog: KeptDialog
  media: KeptMedia
  answeredAt: number
}

/** A leg's media as it is written down (calls/kept-media.ts). */
export interface KeptMedia extends MediaBasics {
  /** Absent: that of the endpoint. */
  stream?: StreamParams
  /** Our SDP as it was sent; records of earlier versions hold it taken apart. */
  own: string | Sdp
}

/** A leg's media as it is when its parties have agreed. */
export interface AgreedMedia extends MediaBasics {
  stream: StreamParams
  /** Our SDP last agreed on: further offers and answers are made over it. */
  own: Sdp
}

/** What both say alike. */
export interface MediaBasics {
  endpoint: KeptEndpoint
  /** Where the peer's signalling comes from. */
  peer: string
  codecs: readonly Codec[]
  encryption?: LegEncryption
  /** The keys of an encrypted stream, which `stream` and `own` then lack, sealed (calls/kept-keys.ts). */
  keys?: string
}

export interface KeptRecording {
  id: string
  file: string
  leg: string
  mailTo: readonly string[]
  keepDays?: number
}
