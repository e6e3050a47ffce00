import type { Millis } from '#base/clock.ts'
import type { EndpointId, PlayId, PlayItem, SocketAddress, StreamParams, MixTerms, RoomId } from '#media/engine.ts'
import { type Command, type LivingEndpoint, type RecordTerms, termsOf } from '#media/engine/protocol.ts'
import type { KeptRollover } from '#media/srtp/receiver.ts'

/** What the server wants one endpoint to be. From it an engine that died is set up again. Instants are on the server's clock. */
export interface Wanted {
  readonly id: EndpointId
  readonly local: SocketAddress
  stream: StreamParams | null
  /** Pair that a latch has learnt. */
  learnt: SocketAddress | null
  /** Of the peer's SRTP stream. */
  rollover: KeptRollover | null
  joined: EndpointId | null
  mixed: { room: RoomId; terms: MixTerms } | null
  play: WantedPlay | null
  /** By file; null before there is one. */
  recordings: Map<string, WantedRecording> | null
}

export interface WantedPlay {
  play: PlayId
  items: readonly PlayItem[]
  loop: boolean
  /** When it began, or would have begun to be where it is. */
  startedAt: Millis
}

export interface WantedRecording extends RecordTerms {
  startedAt: Millis
  /** Its end was asked for, and is awaited. */
  stopped: boolean
}

export function wantNothing(id: EndpointId, local: SocketAddress): Wanted {
  return { id, local, stream: null, learnt: null, rollover: null, joined: null, mixed: null, play: null, recordings: null }
}

/** Takes over what an engine is doing with an endpoint that an earlier life of the server had opened. */
export function inherit(wanted: Wanted, living: LivingEndpoint, now: Millis): void {
  wanted.stream ??= living.stream
  wanted.learnt ??= living.latched
  wanted.rollover = living.rollover ?? wanted.rollover
  wanted.joined ??= living.joined
  wanted.mixed ??= living.mixed
  if (wanted.play === null && living.play !== null) {
    const { play, items, loop, ms } = living.play
    wanted.play = { play, items, loop, startedAt: now - ms }
  }
  for (const recording of living.recordings) {
    const { file, ageMs } = recording
    wanted.recordings ??= new Map()
    if (!wanted.recordings.has(file)) wanted.recordings.set(file, { ...termsOf(recording), startedAt: now - ageMs, stopped: false })
  }
}

/** Commands that make an engine's endpoint what is wanted: all of them when it has none, else what may have been lost on the way. */
export function commandsFor(wanted: Wanted, living: LivingEndpoint | null, now: Millis): Command[] {
  const { id } = wanted
  const commands: Command[] = []
  if (living === null) commands.push({ kind: 'open', id, local: wanted.local })
  if (wanted.stream !== null) {
    const { stream, learnt, rollover } = wanted
    commands.push({ kind: 'aim', id, stream, ...(learnt !== null && { learnt }), ...(rollover !== null && { rollover }) })
  }
  if (living !== null && living.play !== null && living.play.play !== wanted.play?.play)
    commands.push({ kind: 'stop', id, play: living.play.play })
  if (wanted.play !== null && wanted.play.play !== living?.play?.play) {
    const { play, items, loop, startedAt } = wanted.play
    commands.push({ kind: 'play', id, play, items, loop, fromMs: now - startedAt })
  }
  for (const [file, recording] of wanted.recordings ?? []) commands.push(...recordingCommands(wanted, { file, recording, living, now }))
  return commands
}

/** Joins and rooms, to be sent when every endpoint is there. */
export function joinsFor(wanted: Wanted, living: LivingEndpoint | null): Command[] {
  const { id, joined, mixed } = wanted
  // Terms may have changed on the way; saying them again changes nothing.
  if (mixed !== null) return [{ kind: 'mix', id, ...mixed }]
  if (joined !== null && joined !== living?.joined) return [{ kind: 'join', id, other: joined }]
  return joined === null && living !== null && (living.joined !== null || living.mixed !== null) ? [{ kind: 'part', id }] : []
}

function recordingCommands(
  { id }: Wanted,
  { file, recording, living, now }: { file: string; recording: WantedRecording; living: LivingEndpoint | null; now: Millis },
): Command[] {
  const { startedAt, stopped } = recording
  const runs = living?.recordings.some((each) => each.file === file) ?? false
  const start: Command = { kind: 'record', id, file, ageMs: now - startedAt, ...termsOf(recording) }
  return [...(runs ? [] : [start]), ...(stopped ? [{ kind: 'record-stop', id, file } as const] : [])]
}
