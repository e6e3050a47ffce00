import type { Millis } from '#base/clock.ts'
import type { CaptureTerms } from '#media/capture/packet-capture.ts'
import type {
  EndpointId,
  Gap,
  MixTerms,
  PlayId,
  PlayItem,
  RecordOptions,
  RoomId,
  SocketAddress,
  SpeakerTurn,
  StreamParams,
  StreamQuality,
  StreamStats,
} from '#media/engine.ts'
import type { KeptRollover } from '#media/srtp/receiver.ts'

/** Raised with every change that an older peer would misread. */
export const PROTOCOL_VERSION = 1

/** What the server tells an engine. Each command may come again after a reconnection: carried out already, it changes nothing. */
export type Command =
  /** First on a connection: from here on this server owns the engine, an earlier one is cut off. `seen`: number of the last event processed, of engine life `life`. */
  | { kind: 'attach'; version: number; life: string | null; seen: number }
  /** Events up to this number are processed and need not be told again. */
  | { kind: 'seen'; number: number }
  | { kind: 'open'; id: EndpointId; local: SocketAddress }
  /** When the engine is set up again, `learnt`: the pair latched before; `rollover`: of the peer's SRTP stream. */
  | { kind: 'aim'; id: EndpointId; stream: StreamParams; learnt?: SocketAddress; rollover?: KeptRollover }
  | { kind: 'join'; id: EndpointId; other: EndpointId }
  | { kind: 'mix'; id: EndpointId; room: RoomId; terms: MixTerms }
  /** Ends a join, or leaves a room. */
  | { kind: 'part'; id: EndpointId }
  /** `fromMs`: begin so far into the items. */
  | { kind: 'play'; id: EndpointId; play: PlayId; items: readonly PlayItem[]; loop: boolean; fromMs: Millis }
  | { kind: 'stop'; id: EndpointId; play: PlayId }
  | { kind: 'digits'; id: EndpointId; digits: string; toneMs?: Millis; gapMs?: Millis }
  /** `ageMs`: the recording began so long ago, in an engine that died: go on behind what is on disk. */
  | ({ kind: 'record'; id: EndpointId; file: string; ageMs?: Millis } & RecordTerms)
  | { kind: 'record-stop'; id: EndpointId; file: string }
  /** Not taken up by an engine that follows one that died. */
  | ({ kind: 'capture'; id: EndpointId } & CaptureTerms)
  | { kind: 'capture-stop'; id: EndpointId }
  | { kind: 'close'; id: EndpointId }
  /** Close every endpoint not named. */
  | { kind: 'sweep'; keep: readonly EndpointId[] }

/** What an engine tells its server. */
export type Event =
  /** Answer to `attach`; `life` names this process, `capacity` how many endpoints its ports allow, `stock` every free pair, `endpoints` all that live. */
  | {
      kind: 'welcome'
      version: number
      life: string
      capacity: number
      stock: readonly SocketAddress[]
      endpoints: readonly LivingEndpoint[]
    }
  /** After `welcome` and the events that waited: from here on everything is new. */
  | { kind: 'ready' }
  /** A newer server attached. Nothing follows. */
  | { kind: 'fenced' }
  /** Pairs bound and free, more than told before. */
  | { kind: 'stock'; added: readonly SocketAddress[] }
  | NumberedEvent

/** An event of an endpoint with its number: kept by the engine until a server has processed it. */
export interface NumberedEvent {
  kind: 'event'
  number: number
  id: EndpointId
  event: EndpointEvent
}

/** Something happened to an endpoint; each is one method of EndpointEvents. */
export type EndpointEvent =
  | { kind: 'digit'; digit: string; ms: Millis }
  | { kind: 'played'; play: PlayId; why: 'ended' | 'stopped' | 'replaced' | 'failed'; ms: Millis; cause?: string }
  /** `latched`: the rule learnt the pair, to be kept for a new engine. */
  | { kind: 'audio'; from: SocketAddress; latched: boolean }
  | { kind: 'silent'; ms: Millis }
  | { kind: 'recorded'; file: string; ms: Millis; bytes: number; turns: readonly SpeakerTurn[]; gaps: readonly Gap[] }
  | { kind: 'record-failed'; file: string; cause: string }
  | { kind: 'failed'; cause: string }
  | { kind: 'quality'; quality: StreamQuality }
  /** The sequence numbers of the peer's SRTP stream wrapped: the counter of that, to be kept for a new engine. */
  | { kind: 'rolled-over'; rollover: KeptRollover }
  | { kind: 'closed'; stats: StreamStats }

/** An endpoint as it is in an engine: what a server that did not open it needs to know. */
export interface LivingEndpoint {
  id: EndpointId
  local: SocketAddress
  stream: StreamParams | null
  latched: SocketAddress | null
  rollover?: KeptRollover
  joined: EndpointId | null
  mixed: { room: RoomId; terms: MixTerms } | null
  play: { play: PlayId; items: readonly PlayItem[]; loop: boolean; ms: Millis } | null
  recordings: readonly LivingRecording[]
}

export interface LivingRecording extends RecordTerms {
  file: string
  ageMs: Millis
}

/** How something is recorded, as long as it is. */
export interface RecordTerms extends RecordOptions {
  format: 'opus' | 'wav'
}

/** The terms among other things. */
export function termsOf({ format, maxMs, only }: RecordTerms): RecordTerms {
  return { format, ...(maxMs !== undefined && { maxMs }), ...(only !== undefined && { only }) }
}
