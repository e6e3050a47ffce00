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

export interface KeptMedia {
  endpoint: KeptEndpoint
  stream: StreamParams
  /** Our SDP last agreed on: further offers and answers are made over it. */
  own: Sdp
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
}
