import type { Millis } from '#base/clock.ts'
import type {
  Endpoint,
  EndpointEvents,
  EndpointId,
  KeptEndpoint,
  MixTerms,
  PlayId,
  PlayItem,
  PlayOptions,
  RecordingHandle,
  RecordOptions,
  RoomId,
  SocketAddress,
  StreamParams,
} from '#media/engine.ts'
import type { EngineLink } from '#media/engine/link.ts'
import { type Command, type EndpointEvent, type LivingEndpoint, termsOf } from '#media/engine/protocol.ts'
import type { KeptRollover } from '#media/srtp/receiver.ts'
import { wantNothing, type Wanted } from '#media/engine/wanted.ts'

type LiveEvent = Exclude<EndpointEvent, { kind: 'recorded' | 'record-failed' | 'closed' }>

/** What an endpoint asks of the client, because it may concern two engines. */
export interface Joiner {
  join(a: RemoteEndpoint, b: RemoteEndpoint): void
  part(endpoint: RemoteEndpoint): void
  mix(endpoint: RemoteEndpoint, room: RoomId, terms: MixTerms): void
  nextPlay(): number
}

/** An endpoint in an engine as its opener holds it: notes what is wanted, and tells the engine. */
export class RemoteEndpoint implements Endpoint {
  readonly id: EndpointId
  readonly local: SocketAddress
  readonly link: EngineLink
  readonly wanted: Wanted
  /** Was opened by an earlier life of the server: what the engine does with it is to be taken over. */
  isAdopted: boolean
  /** The engine has had it; if it has not any more, it died meanwhile. */
  wasUp: boolean
  readonly #events: EndpointEvents
  readonly #client: Joiner
  #closed = false

  constructor(opened: {
    id: EndpointId
    local: SocketAddress
    link: EngineLink
    events: EndpointEvents
    client: Joiner
    /** Adopted: its last aim. */
    stream?: StreamParams | undefined
    rollover?: KeptRollover | undefined
  }) {
    this.id = opened.id
    this.local = opened.local
    this.link = opened.link
    this.#events = opened.events
    this.#client = opened.client
    this.wanted = wantNothing(opened.id, opened.local)
    this.isAdopted = 'stream' in opened
    this.wanted.stream = opened.stream ?? null
    this.wanted.rollover = opened.rollover ?? null
    this.wasUp = this.isAdopted || this.link.isUp
  }

  aim(stream: StreamParams): void {
    if (this.#closed) return
    this.wanted.stream = stream
    this.link.send({ kind: 'aim', id: this.id, stream })
  }

  join(other: Endpoint): void {
    if (this.#closed || !(other instanceof RemoteEndpoint) || other.isClosed || other === this) return
    this.#client.join(this, other)
  }

  mix(room: RoomId, terms: MixTerms = {}): void {
    if (!this.#closed) this.#client.mix(this, room, terms)
  }

  part(): void {
    this.#client.part(this)
  }

  play(items: readonly PlayItem[], options: PlayOptions = {}): PlayId {
    const play = this.#client.nextPlay()
    if (this.#closed) return play
    const loop = options.loop ?? false
    this.wanted.play = { play, items, loop, startedAt: this.link.now }
    this.link.send({ kind: 'play', id: this.id, play, items, loop, fromMs: 0 })
    return play
  }

  stop(play: PlayId): void {
    if (this.#closed || this.wanted.play?.play !== play) return
    if (this.link.isUp) this.link.send({ kind: 'stop', id: this.id, play })
    else this.wanted.play = null
  }

  sendDtmf(digits: string, toneMs?: Millis, gapMs?: Millis): void {
    if (this.#closed) return
    const times = { ...(toneMs === undefined ? {} : { toneMs }), ...(gapMs === undefined ? {} : { gapMs }) }
    this.link.sendOnce({ kind: 'digits', id: this.id, digits, ...times })
  }

  record(file: string, options: RecordOptions = {}): RecordingHandle {
    const recordings = (this.wanted.recordings ??= new Map())
    if (!this.#closed && !recordings.has(file)) {
      const terms = termsOf({ ...options, format: options.format ?? 'opus' })
      recordings.set(file, { ...terms, startedAt: this.link.now, stopped: false })
      this.link.send({ kind: 'record', id: this.id, file, ...terms })
    }
    return { file, stop: () => this.#stopRecording(file) }
  }

  keep(): KeptEndpoint {
    const { stream, rollover } = this.wanted
    const { id, local } = this
    const engine = this.link.index
    const kept: KeptEndpoint = stream === null ? { id, engine, local } : { id, engine, local, stream }
    if (rollover !== null) kept.rollover = rollover
    return kept
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#client.part(this)
    this.wanted.play = null
    for (const recording of this.wanted.recordings?.values() ?? []) recording.stopped = true
    this.link.send({ kind: 'close', id: this.id })
  }

  get isClosed(): boolean {
    return this.#closed
  }

  // ---- For the client and its links ----

  joinHere(other: RemoteEndpoint): void {
    this.wanted.joined = other.id
    other.wanted.joined = this.id
    this.link.send({ kind: 'join', id: this.id, other: other.id })
  }

  /** Enters a room of its own engine, or goes on there under other terms. */
  mixHere(room: RoomId, terms: MixTerms): void {
    this.wanted.mixed = { room, terms }
    this.link.send({ kind: 'mix', id: this.id, room, terms })
  }

  /** Undoes a join within one engine, or leaves a room; the other half learns of it here, too. Who closes parts there without being told. */
  partHere(): void {
    const { joined, mixed } = this.wanted
    if (joined === null && mixed === null) return
    this.wanted.joined = null
    this.wanted.mixed = null
    const other = joined === null ? undefined : this.link.find(joined)
    if (other !== undefined && other.wanted.joined === this.id) other.wanted.joined = null
    if (!this.#closed) this.link.send({ kind: 'part', id: this.id })
  }

  /** What was taken over is ours from here on. */
  settle(): void {
    this.isAdopted = false
  }

  /** For an endpoint closed while its engine was away: it is closed there, and its recordings are completed. */
  lastCommands(living: LivingEndpoint | null): Command[] {
    const commands: Command[] = living === null ? [] : [{ kind: 'close', id: this.id }]
    if (living !== null) return commands
    for (const [file, recording] of this.wanted.recordings ?? []) {
      commands.push({ kind: 'record', id: this.id, file, ageMs: this.link.now - recording.startedAt, ...termsOf(recording) })
      commands.push({ kind: 'record-stop', id: this.id, file })
    }
    if (commands.length === 0) this.link.remove(this)
    return commands
  }

  revived(): void {
    this.#events.onRevived?.()
  }

  /** Passes on what the engine tells, after noting what it means for what is wanted. */
  take(event: EndpointEvent): void {
    if (event.kind === 'recorded') {
      this.wanted.recordings?.delete(event.file)
      const { kind: _, ...recording } = event
      this.#events.onRecorded?.(recording)
      this.#removeWhenDone()
      return
    }
    if (event.kind === 'record-failed') this.#events.onRecordFailed?.(event.file, event.cause)
    else if (event.kind === 'closed') {
      this.#events.onStats?.(event.stats)
      this.#removeWhenDone()
    } else if (!this.#closed) {
      this.#learn(event)
      this.#tell(event)
    }
  }

  /** What another engine would have to know, should this one die. */
  #learn(event: LiveEvent): void {
    if (event.kind === 'rolled-over') this.wanted.rollover = event.rollover
    else if (event.kind === 'audio' && event.latched) this.wanted.learnt = event.from
    else if (event.kind === 'played' && this.wanted.play?.play === event.play) this.wanted.play = null
  }

  #tell(event: LiveEvent): void {
    switch (event.kind) {
      case 'digit':
        this.#events.onDigit?.(event.digit, event.ms)
        return
      case 'played':
        this.#events.onPlayed?.(event.play, event.why, event.ms, event.cause)
        return
      case 'audio':
        this.#events.onAudio?.(event.from)
        return
      case 'silent':
        this.#events.onSilent?.(event.ms)
        return
      case 'failed':
        this.#events.onFailed?.(event.cause)
        return
      case 'quality':
        this.#events.onQuality?.(event.quality)
        return
      case 'rolled-over':
    }
  }

  /** After `closed`: the engine has let go of it, once its recordings are on disk. */
  #removeWhenDone(): void {
    if (this.#closed && (this.wanted.recordings?.size ?? 0) === 0) this.link.remove(this)
  }

  #stopRecording(file: string): void {
    const recording = this.wanted.recordings?.get(file)
    if (recording === undefined || recording.stopped) return
    recording.stopped = true
    this.link.send({ kind: 'record-stop', id: this.id, file })
  }
}
