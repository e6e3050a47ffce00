import type { Clock, Millis } from '#base/clock.ts'
import type { Busyness } from '#base/idle-collection.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import type { EndpointId, PlayId, PlayItem, SocketAddress, StreamParams, RoomId } from '#media/engine.ts'
import type { Clip } from '#media/engine/clip.ts'
import { Captures } from '#media/engine/captures.ts'
import { Heartbeat } from '#media/engine/heartbeat.ts'
import { Player } from '#media/engine/player.ts'
import type { Command, EndpointEvent, LivingEndpoint } from '#media/engine/protocol.ts'
import { lawOf } from '#media/engine/stream.ts'
import { Recordings } from '#media/engine/recordings.ts'
import type { SoundFault, Sounds } from '#media/engine/sounds.ts'
import type { PortStock } from '#media/engine/stock.ts'
import { Room } from '#media/mix/room.ts'
import { type PipelineNeeds, RtpEndpoint } from '#media/pipeline.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'
import type { Recorder } from '#media/record/recorder.ts'
import { canonicalAddress, canonicalSocketAddress } from '#media/socket/address.ts'
import { isBindFault, type PortPair } from '#media/socket/socket.ts'

export interface CoreNeeds {
  clock: Clock
  random: Random
  log: Log
  stock: PortStock
  sounds: Sounds
  recorder: Recorder
  /** Where relative file names begin. */
  folder: string
}

/** Commands about one endpoint. */
type EndpointCommand = Extract<Command, { id: EndpointId }>

/** What an endpoint is doing, beside its packets. */
interface Slot {
  endpoint: RtpEndpoint
  local: SocketAddress
  play: { play: PlayId; items: readonly PlayItem[]; loop: boolean; player: Player | null } | null
  /** Plays up to this one are over. */
  lastPlay: PlayId
}

/** What endpoints are looked after for, silence, reports, keep-alive, may be so much late, and what is due in seconds later still: each tick wakes this process. */
const LOOK_GRANULE_MS: Millis = 100
const LONG_GRANULE_MS: Millis = 200

/** One media engine: endpoints by id, commands in, events out. Knows nothing of processes or of who commands. */
export class EngineCore {
  readonly #needs: CoreNeeds
  readonly #emit: (id: EndpointId, event: EndpointEvent) => void
  readonly #slots = new Map<EndpointId, Slot>()
  readonly #awake = new Set<RtpEndpoint>()
  readonly #rooms = new Map<RoomId, Room>()
  readonly #recordings: Recordings
  readonly #captures: Captures
  readonly #heartbeat: Heartbeat
  readonly #pipeline: PipelineNeeds
  #opened = 0
  #closed = false

  constructor(needs: CoreNeeds, emit: (id: EndpointId, event: EndpointEvent) => void) {
    this.#needs = needs
    this.#emit = emit
    this.#recordings = new Recordings(needs, emit)
    this.#captures = new Captures(needs)
    this.#heartbeat = new Heartbeat(needs.clock, BEAT_MS, (now) => this.#beat(now))
    this.#pipeline = {
      clock: needs.clock,
      wheel: new TimerWheel(needs.clock, LOOK_GRANULE_MS, LONG_GRANULE_MS),
      cname: needs.random.hex(12),
      below: (limit) => needs.random.below(limit),
      tell: emit,
      wake: (endpoint) => {
        this.#awake.add(endpoint)
        this.#heartbeat.start()
      },
    }
  }

  /** Carries out one command about an endpoint. One that comes too late, for an endpoint that is gone, changes nothing. */
  handle(command: EndpointCommand): void {
    if (this.#closed) return
    if (command.kind === 'open') {
      this.#open(command.id, command.local)
      return
    }
    const slot = this.#slots.get(command.id)
    if (command.kind === 'record') this.#record(command, slot)
    else if (command.kind === 'record-stop') this.#recordings.stop(command.file)
    else if (slot !== undefined) this.#act(slot, command)
  }

  /** Closes every endpoint that is not named. */
  sweep(keep: readonly EndpointId[]): void {
    const kept = new Set(keep)
    for (const id of this.#slots.keys()) if (!kept.has(id)) this.#close(id)
  }

  /** Everything that lives here. */
  get living(): readonly LivingEndpoint[] {
    return [...this.#slots].map(([id, slot]) => this.#describe(id, slot))
  }

  get busyness(): Busyness {
    return { calls: () => this.#slots.size, asked: () => this.#opened }
  }

  get stock(): PortStock {
    return this.#needs.stock
  }

  /** Closes everything; resolves when recordings are on disk. No event comes after. */
  async close(): Promise<void> {
    this.sweep([])
    this.#closed = true
    this.#heartbeat.stop()
    this.#needs.stock.close()
    await this.#needs.recorder.close(this.#needs.clock.now())
  }

  /** Completes every recording on disk for the engine that goes on behind it; packets go through until this process ends. */
  async putDown(): Promise<void> {
    await this.#needs.recorder.close(this.#needs.clock.now())
  }

  #act(slot: Slot, command: Exclude<EndpointCommand, { kind: 'open' | 'record' | 'record-stop' }>): void {
    switch (command.kind) {
      case 'aim':
        slot.endpoint.aim(this.#canonical(command.stream), {
          learnt: canonicalSocketAddress(command.learnt ?? null),
          rollover: command.rollover ?? null,
        })
        return
      case 'join':
        this.#join(slot, command.other)
        return
      case 'mix':
        this.#mix(slot, command)
        return
      case 'part':
        slot.endpoint.part()
        return
      case 'play':
        this.#play(slot, command)
        return
      case 'stop':
        if (slot.play?.play === command.play) this.#endPlay(slot, 'stopped')
        return
      case 'digits':
        slot.endpoint.sendDigits(command.digits, command.toneMs, command.gapMs)
        return
      case 'capture':
        this.#captures.start(command, slot.endpoint.pair)
        return
      case 'capture-stop':
        this.#captures.stop(command.id)
        return
      case 'close':
        this.#close(command.id)
    }
  }

  #open(id: EndpointId, local: SocketAddress): void {
    if (this.#slots.has(id)) return
    const endpoint = new RtpEndpoint(id, this.#pipeline)
    this.#opened++
    this.#slots.set(id, { endpoint, local, play: null, lastPlay: 0 })
    const pair = this.#needs.stock.take(local)
    if (pair !== null) endpoint.attach(pair)
    else void this.#claim(id, local)
  }

  /** A pair that is not in stock: the endpoint lives on without sockets until it is bound. */
  async #claim(id: EndpointId, local: SocketAddress): Promise<void> {
    const pair = await this.#needs.stock.claim(local)
    const slot = this.#slots.get(id)
    if (isBindFault(pair)) {
      const owner = await this.#needs.stock.ownerOf(pair.port)
      this.#emit(id, {
        kind: 'failed',
        cause: `RTP port ${pair.port} could not be bound (${pair.code})${owner === null ? '' : `: ${owner} has it`}`,
      })
    } else if (slot === undefined) this.#needs.stock.release(pair)
    else slot.endpoint.attach(pair)
  }

  #canonical(stream: StreamParams): StreamParams {
    const { accept } = stream
    const address = accept.mode === 'latch' ? canonicalAddress(accept.address) : null
    if (accept.mode === 'latch' && address === null)
      this.#needs.log.warn('an address to latch on is no IP address', { address: accept.address })
    const [remote, rtcp, ptimeMs] = [canonicalSocketAddress(stream.remote), canonicalSocketAddress(stream.rtcp), packetTime(stream)]
    const isCanonical = remote === stream.remote && rtcp === stream.rtcp && ptimeMs === stream.ptimeMs
    // Most are: a copy would only be collected later.
    if (isCanonical && (accept.mode === 'exact' || accept.address === address)) return stream
    return { ...stream, remote, rtcp, accept: accept.mode === 'latch' ? { mode: 'latch', address: address ?? '' } : accept, ptimeMs }
  }

  #join(slot: Slot, otherId: EndpointId): void {
    const other = this.#slots.get(otherId)
    if (other !== undefined) slot.endpoint.join(other.endpoint)
    else this.#needs.log.warn('an endpoint is to be joined with one that is not here', { id: slot.endpoint.id, other: otherId })
  }

  #mix({ endpoint }: Slot, { room: id, terms }: Extract<Command, { kind: 'mix' }>): void {
    const room = this.#rooms.get(id) ?? new Room()
    this.#rooms.set(id, room)
    this.#heartbeat.start()
    endpoint.enter({ id, room }, terms)
  }

  #play(slot: Slot, command: Extract<Command, { kind: 'play' }>): void {
    const { play, items, loop, fromMs } = command
    if (play <= slot.lastPlay || slot.play?.play === play) return
    this.#endPlay(slot, 'replaced')
    slot.play = { play, items, loop, player: null }
    const law = lawOf(slot.endpoint.stream?.codec ?? 'PCMA')
    const begin = (clips: readonly Clip[] | SoundFault): void => {
      if (slot.play?.play !== play || !this.#slots.has(slot.endpoint.id)) return
      if ('kind' in clips) {
        this.#endPlay(slot, 'failed', clips.cause)
        return
      }
      const player = new Player(clips, law, loop)
      player.seek(fromMs)
      slot.play.player = player
      if (player.ended) this.#endPlay(slot, 'ended')
      else slot.endpoint.play(player, () => this.#endPlay(slot, 'ended'))
    }
    const clips = this.#needs.sounds.clips(items, law)
    if (clips instanceof Promise) void clips.then(begin)
    else begin(clips)
  }

  #endPlay(slot: Slot, why: 'ended' | 'stopped' | 'replaced' | 'failed', cause?: string): void {
    const { play } = slot
    if (play === null) return
    slot.play = null
    slot.lastPlay = play.play
    slot.endpoint.stop()
    this.#emit(slot.endpoint.id, {
      kind: 'played',
      play: play.play,
      why,
      ms: play.player?.ms ?? 0,
      ...(cause === undefined ? {} : { cause }),
    })
  }

  #record(command: Extract<Command, { kind: 'record' }>, slot: Slot | undefined): void {
    this.#heartbeat.start()
    this.#recordings.start(command, slot?.endpoint ?? null)
  }

  #close(id: EndpointId): void {
    const slot = this.#slots.get(id)
    if (slot === undefined) return
    this.#slots.delete(id)
    this.#awake.delete(slot.endpoint)
    this.#recordings.stopAll(id)
    this.#captures.stop(id)
    const { stats } = slot.endpoint
    const pair: PortPair | null = slot.endpoint.close()
    if (pair !== null) this.#needs.stock.release(pair)
    this.#emit(id, { kind: 'closed', stats })
  }

  #describe(id: EndpointId, { endpoint, local, play }: Slot): LivingEndpoint {
    return {
      id,
      local,
      stream: endpoint.stream,
      latched: endpoint.latchedOn,
      ...(endpoint.rollover !== null && { rollover: endpoint.rollover }),
      joined: endpoint.peer?.id ?? null,
      mixed: endpoint.mixed,
      play: play === null ? null : { play: play.play, items: play.items, loop: play.loop, ms: play.player?.ms ?? 0 },
      recordings: this.#recordings.of(id),
    }
  }

  #beat(now: Millis): boolean {
    for (const endpoint of this.#awake) if (!endpoint.beat(now)) this.#awake.delete(endpoint)
    for (const [id, room] of this.#rooms) {
      if (room.isEmpty) this.#rooms.delete(id)
      else room.beat(now)
    }
    this.#needs.recorder.tick(now)
    return this.#awake.size > 0 || this.#rooms.size > 0 || this.#needs.recorder.load.open > 0
  }
}

/** Opus has frames of 10, 20, 40 and 60 ms (RFC 6716 §2.1.4); what is asked in between gets the shorter. */
function packetTime({ codec, ptimeMs }: StreamParams): Millis {
  const tens = Math.min(60, Math.max(10, Math.round(ptimeMs / 10) * 10))
  return codec === 'opus' && (tens === 30 || tens === 50) ? tens - 10 : tens
}
