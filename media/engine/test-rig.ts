import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Endpoint, EndpointEvents, SocketAddress, StreamParams, StreamStats } from '#media/engine.ts'
import { type EngineParts, type LocalEngine, openLocalEngine } from '#media/engine/local.ts'
import type { SoundReader } from '#media/engine/sounds.ts'
import type { Recorder, RecordingEvents, RecordingSpec, VoiceFrame } from '#media/record/recorder.ts'
import { RtpHeader, writeRtpHeader } from '#media/rtp/header.ts'
import { MemoryNetwork, type MemorySocket } from '#media/socket/memory-socket.ts'

/** What an endpoint told its owner, as lines. */
export interface Told extends EndpointEvents {
  lines: string[]
  stats: StreamStats[]
}

/** Collects the events of one endpoint. */
export function told(): Told {
  const lines: string[] = []
  const stats: StreamStats[] = []
  return {
    lines,
    stats,
    onDigit: (digit, ms) => void lines.push(`digit ${digit} ${ms}`),
    onPlayed: (_play, why, ms, cause) => void lines.push(`played ${why} ${ms}${cause === undefined ? '' : ` ${cause}`}`),
    onAudio: (from) => void lines.push(`audio ${from.address} ${from.port}`),
    onSilent: (ms) => void lines.push(`silent ${ms}`),
    onRecorded: ({ file, ms }) => void lines.push(`recorded ${file} ${ms}`),
    onRecordFailed: (file, cause) => void lines.push(`record-failed ${file} ${cause}`),
    onRevived: () => void lines.push('revived'),
    onFailed: (cause) => void lines.push(`failed ${cause}`),
    onStats: (figures) => void stats.push(figures),
  }
}

/** A packet as a test looks at it. */
export interface Heard {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payload: Buffer
}

export function heardOf(packet: Buffer): Heard {
  const header = new RtpHeader()
  if (!header.read(packet)) throw new Error('what the engine sent is no RTP')
  const { payloadType, marker, sequence, timestamp, ssrc } = header
  return { payloadType, marker, sequence, timestamp, ssrc, payload: packet.subarray(header.payloadStart, header.payloadEnd) }
}

/** An RTP packet of 20 ms by default. */
export function rtp(fields: {
  sequence: number
  timestamp?: number
  payloadType?: number
  ssrc?: number
  marker?: boolean
  payload?: Uint8Array
}): Buffer {
  const {
    sequence,
    timestamp = sequence * 160,
    payloadType = 8,
    ssrc = 0x1234,
    marker = false,
    payload = Buffer.alloc(160, sequence & 0xff),
  } = fields
  const packet = Buffer.alloc(12 + payload.length)
  writeRtpHeader(packet, 0, ssrc, { sequence: sequence & 0xffff, timestamp: timestamp >>> 0, payloadType, marker })
  packet.set(payload, 12)
  return packet
}

/** A phone in a memory network. */
export class Phone {
  readonly socket: MemorySocket
  readonly rtcp: MemorySocket
  #sequence = 1

  constructor(network: MemoryNetwork, at: SocketAddress) {
    this.socket = network.open(at)
    this.rtcp = network.open({ ...at, port: at.port + 1 })
  }

  get address(): SocketAddress {
    return this.socket.local
  }

  /** Says one packet of G.711 to an endpoint. */
  say(to: { local: SocketAddress }, fields: Partial<Parameters<typeof rtp>[0]> = {}): void {
    this.socket.send(rtp({ sequence: this.#sequence++, ...fields }), to.local)
  }

  /** What it heard since last asked. */
  take(): Heard[] {
    return this.socket.received.splice(0).map(heardOf)
  }
}

/** Stream parameters of a plain phone; `over` changes some. */
export function streamTo(remote: SocketAddress | null, over: Partial<StreamParams> = {}): StreamParams {
  return {
    remote,
    rtcp: null,
    accept: { mode: 'exact' },
    codec: 'PCMA',
    payloadType: 8,
    dtmfPayloadType: 101,
    direction: 'sendrecv',
    ptimeMs: 20,
    silenceMs: 0,
    ...over,
  }
}

/** A recorder that writes nothing and tells what it was given. */
export class PaperRecorder implements Recorder {
  readonly opened: { spec: RecordingSpec; frames: VoiceFrame[]; stopped: boolean; events: RecordingEvents }[] = []

  open(spec: RecordingSpec, events: RecordingEvents): ReturnType<Recorder['open']> {
    const paper = { spec, frames: [] as VoiceFrame[], stopped: false, events }
    this.opened.push(paper)
    return {
      file: spec.file,
      frame: (frame) => void paper.frames.push({ ...frame, payload: Buffer.from(frame.payload) }),
      pause: () => undefined,
      resume: () => undefined,
      stop: (at) => {
        if (paper.stopped) return
        paper.stopped = true
        queueMicrotask(() => events.onRecorded({ file: spec.file, ms: at - spec.startedAt, bytes: 1, turns: [], gaps: [] }))
      },
    }
  }

  tick(): void {}

  async close(): Promise<void> {}

  get load(): Recorder['load'] {
    return { open: this.opened.filter(({ stopped }) => !stopped).length, queued: 0, shed: 0 }
  }
}

/** An engine on virtual time in a network in memory. */
export interface Rig extends AsyncDisposable {
  clock: VirtualClock
  network: MemoryNetwork
  recorder: PaperRecorder
  engine: LocalEngine
  /** An endpoint whose events are in `told`. */
  open(): { endpoint: Endpoint; told: Told }
  phone(address: string, port?: number): Phone
}

/** Opens a rig. `sounds`: files that can be played. */
export async function openRig(parts: Partial<EngineParts> & { sounds?: SoundReader } = {}): Promise<Rig> {
  const clock = new VirtualClock(1_767_600_000_000)
  const network = new MemoryNetwork()
  const recorder = new PaperRecorder()
  const range = { addresses: ['192.0.2.1'], first: 20_000, last: 20_199 }
  const engine = await openLocalEngine({ range, folder: '/', clock, random: countingRandom(), binder: network, recorder, ...parts })
  return {
    clock,
    network,
    recorder,
    engine,
    open: () => {
      const events = told()
      const endpoint = engine.media.open(events)
      if (endpoint === null) throw new Error('no port is left')
      return { endpoint, told: events }
    },
    phone: (address, port = 4000) => new Phone(network, { address, port }),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}
