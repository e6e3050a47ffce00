import type { Millis } from '#base/clock.ts'
import type { KeptRollover } from '#media/srtp/receiver.ts'
import type { StreamCrypto } from '#media/srtp/suites.ts'

/**
 * The face of the media room towards calls: endpoints that send and receive RTP, in whichever process they live.
 * Commands are fire-and-forget and kept in order; what happens comes back as events. `open` answers at once because the
 * engine keeps a stock of sockets already bound (media/engine/stock.ts), so an SDP answer never waits for another process.
 */
export interface MediaEngine {
  /**
   * Takes a port pair from the stock. `null`: none is left (the caller answers 503). `near`: share its engine process, so that a join needs no
   * detour. `family`: of the address it is bound to; without it that of the first address that engines bind.
   */
  open(events: EndpointEvents, near?: Endpoint, family?: 'IPv4' | 'IPv6'): Endpoint | null
  /** After a restart of the server: takes over an endpoint that lived on, with the state the call had kept. */
  adopt(kept: KeptEndpoint, events: EndpointEvents): Endpoint
  /** Closes every endpoint in the engines that nobody has opened or adopted: called once a restarted server has adopted all it knows. */
  sweep(): void
  readonly load: { endpoints: number; capacity: number }
}

/** One party's media: one RTP/RTCP port pair, one remote stream. The opener closes it. */
export interface Endpoint {
  readonly id: EndpointId
  /** Where the peer shall send RTP, as bound on this machine (the public address is put into SDP by the caller of this room). */
  readonly local: SocketAddress
  /** Sets or replaces the remote stream after an offer/answer. A change of address, codec or direction takes effect at once. */
  aim(stream: StreamParams): void
  /** Two endpoints hear each other until parted. What a play command sends goes over the peer's audio. Replaces an earlier join. */
  join(other: Endpoint): void
  /**
   * Enters a room, or goes on in it under other terms; leaves a join or another room. All in a room hear each other by their gains: a conference,
   * a supervisor who listens, whispers or barges in. A room is where its members are: open them `near` each other, in one engine. A member that was
   * never aimed at a peer is the room's own: what it plays the room hears, and what it records is the room.
   */
  mix(room: RoomId, terms?: MixTerms): void
  /** Ends a join, or leaves the room. */
  part(): void
  /** Sends the items in order, then an event `played`. A later play replaces this one (its event says `replaced`). */
  play(items: readonly PlayItem[], options?: PlayOptions): PlayId
  stop(play: PlayId): void
  /** Sends digits `0-9*#A-D` as RFC 4733 events, in-band where the peer has none. */
  sendDtmf(digits: string, toneMs?: Millis, gapMs?: Millis): void
  /** Records what this endpoint hears and sends (with its joined peer) to one file, until stopped or closed. A file that is being recorded already goes on: this is how the handle is had again after `adopt`. */
  record(file: string, options?: RecordOptions): RecordingHandle
  /** Plain data from which `adopt` can take it over. */
  keep(): KeptEndpoint
  /** Idempotent. The port rests for a few seconds before it is used again. */
  close(): void
}

/** A small whole number, which finds its endpoint faster than a string does; what an earlier version of the program opened may have a string. */
export type EndpointId = number | string
/** Any name; rooms of the same name in one engine are one room. It exists while it has members. */
export type RoomId = string

/** How a member takes part in a room. Gains: 0 not at all, 1 as it is, up to 7. */
export interface MixTerms {
  /** Of what it says; default 1. */
  speaks?: number
  /** Who hears it at all; default: everybody. A supervisor that whispers is heard by one. */
  heardBy?: readonly EndpointId[]
  /** Of what it hears; default 1. */
  hears?: number
  /** Instead of `hears`, for single speakers. */
  gains?: Readonly<Record<EndpointId, number>>
}

export type PlayId = number

export interface SocketAddress {
  /** IPv4 or IPv6, without brackets. */
  address: string
  port: number
}

/** By its name in SDP's rtpmap. */
export type Codec = 'PCMU' | 'PCMA' | 'G722' | 'opus'
/** What an opus peer asks of whoever sends to it (RFC 7587 §6.1). */
export interface OpusTerms {
  /** It makes use of in-band FEC. */
  fec: boolean
  /** Bits a second, 6,000 to 510,000; absent: it does not say. */
  maxBitrate?: number
}

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

/** What offer/answer settled for one audio stream, as seen from us. */
export interface StreamParams {
  /** Where we send; null while unknown (offerless, or port 0). */
  remote: SocketAddress | null
  /** RTCP where it is not RTP port + 1 (RFC 3605), or rtcp-mux (same port). */
  rtcp: SocketAddress | null
  /**
   * Who may send to us. `exact`: only `remote`, to the port. `latch`: the first packet from `address` (any port) fixes the
   * pair; used when the peer is behind NAT, `address` being where its signalling comes from. Nobody else is ever heard or
   * answered. A latch is kept across `aim` calls while `address` stays; when `remote` changes with such a call, the first
   * packet from another port of `address` moves it there. Back from a hold, the first packet from any port of `address` fixes it
   * anew: at once where it is encrypted or names the source of before, else half a second later, if the old port is silent for so long.
   */
  accept: { mode: 'exact' } | { mode: 'latch'; address: string }
  codec: Codec
  payloadType: number
  /** With opus alone; absent: nothing asked. */
  opus?: OpusTerms
  /** RFC 4733 telephone-event payload type; null when the peer has none. */
  dtmfPayloadType: number | null
  /** Clock of the telephone-events; default 8,000. With opus the peer may have them at 48,000 (RFC 7587 §4.1, RFC 4733 §2.4.1). */
  dtmfClockHz?: number
  /** Payload type of comfort noise (RFC 3389); absent: the peer takes none. */
  noisePayloadType?: number
  /** Ours: `sendonly` means that we send and do not listen. */
  direction: Direction
  /** Packet time of what we send, 10 to 60; what is passed on untouched keeps the packet time in which it came as long as that is this one. */
  ptimeMs: number
  /** Event `silent` when nothing valid, be it audio or a report, arrived for so long while audio goes both ways (no hold), up to 200 ms later; 0 never. */
  silenceMs: Millis
  /** SRTP in both directions by these keys (RFC 3711); absent: plain RTP. Secret: in no log, and sealed wherever it is written. */
  crypto?: StreamCrypto
}

export type PlayItem =
  /** A sound file: WAV (PCM 8/16/24/32 bit, float, A-law, mu-law; 8 to 48 kHz; mono or stereo). */
  | { kind: 'file'; file: string }
  /** Call-progress tone, for `ms`, or endless; `plan`: as in that country (`ru`, `us`, ...; default `eu`). */
  | { kind: 'tone'; tone: 'ringback' | 'busy' | 'congestion' | 'dial' | 'beep'; plan?: string; ms?: Millis }
  | { kind: 'silence'; ms: Millis }

export interface PlayOptions {
  /** Start again after the last item, until stopped. */
  loop?: boolean
}

export interface RecordOptions {
  /** Ogg Opus (default), or WAV where somebody must listen to every sample. */
  format?: 'opus' | 'wav'
  /** Stops by itself after so long. */
  maxMs?: Millis
  /** `received`: what this endpoint hears alone, without what it sends. Default: both, mixed. */
  only?: 'received'
}

export interface RecordingHandle {
  readonly file: string
  stop(): void
}

/**
 * What an endpoint tells its owner. Every event comes after the commands that caused it. After `close` only the ends of what it still had
 * running are told: `onRecorded` or `onRecordFailed` of a recording, and the final `onStats`.
 */
export interface EndpointEvents {
  /** A digit was pressed (once per key press, at its end or after it was held). */
  onDigit?(digit: string, ms: Millis): void
  /** A play ended: `ended` (to its last sample), `stopped`, `replaced`, or `failed` with the cause. `ms` is what was sent. */
  onPlayed?(play: PlayId, why: 'ended' | 'stopped' | 'replaced' | 'failed', ms: Millis, cause?: string): void
  /** First valid packet of this endpoint, or of a new remote address. */
  onAudio?(from: SocketAddress): void
  /** Nothing valid came for StreamParams.silenceMs. Once, until audio comes again. */
  onSilent?(ms: Millis): void
  /** The recording is complete on disk. `turns`: who spoke when, from and to in ms; speaker 0 is this endpoint, 1 its peer. */
  onRecorded?(recording: { file: string; ms: Millis; bytes: number; turns: readonly SpeakerTurn[]; gaps: readonly Gap[] }): void
  onRecordFailed?(file: string, cause: string): void
  /** The engine process died and this endpoint was set up again in a new one, on the same port. */
  onRevived?(): void
  /** The engine cannot serve this endpoint any more. */
  onFailed?(cause: string): void
  /** At the end, and on request: figures of the stream. */
  onStats?(stats: StreamStats): void
  /** It sounds better or worse than told last; at most every 10 s. */
  onQuality?(quality: StreamQuality): void
}

export interface SpeakerTurn {
  speaker: 0 | 1
  fromMs: Millis
  toMs: Millis
}

/** A stretch that could not be recorded, and why. */
export interface Gap {
  fromMs: Millis
  toMs: Millis
  why: string
}

/** How the audio of an endpoint came through; the same as the contract's `LegQuality`, where each field is explained. */
export interface StreamQuality {
  codec: Codec
  encrypted: boolean
  class: 'good' | 'fair' | 'poor' | 'bad'
  roundTripMs: number | null
  received: { packets: number; lost: number; jitterMs: number; mos: number; worst: { lost: number; mos: number } } | null
  sent: { lost: number; jitterMs: number; mos: number } | null
}

/** One endpoint's RTP figures (RFC 3550 §6.4, §A.8). */
export interface StreamStats {
  packetsSent: number
  packetsReceived: number
  bytesReceived: number
  lost: number
  jitterMs: number
  /** From RTCP, when the peer reports. */
  remoteLost: number | null
  roundTripMs: number | null
  /**
   * Packets from addresses that may not speak here, dropped. Counted until the peer's address is fixed and it has spoken; from then on
   * the kernel drops them, uncounted, before they cost anything.
   */
  strangers: number
  /** Packets from the right address that were no RTP, or of a payload type that was not agreed on, dropped. */
  unusable: number
  /** Absent while nothing was agreed on. */
  quality?: StreamQuality
  /** Where audio was decoded, for another codec, another packet time or a room; absent: it passed as it came. */
  playout?: PlayoutFigures
  /** SRTP packets dropped because their tag was not right, or because they had come before; absent while there was none. */
  badTags?: number
  replays?: number
}

/** What became of packets that had to be played at our own pace. */
export interface PlayoutFigures {
  /** Came after their turn. */
  late: number
  duplicates: number
  /** How much audio was made up for what never came, or came too late. */
  concealedMs: Millis
  /** How much was taken out to catch up with a sender that is ahead. */
  shortenedMs: Millis
  /** What is held back at present. */
  delayMs: Millis
}

/** Plain data kept by the call so that a restarted server can adopt the endpoint, or a restarted engine be set up again. */
export interface KeptEndpoint {
  id: EndpointId
  engine: number
  local: SocketAddress
  /** The last `aim`, so that the stream flows again even if the engine died together with the server. */
  stream?: StreamParams
  /** Of the peer's protected stream, should the engine have died, too. */
  rollover?: KeptRollover
}
