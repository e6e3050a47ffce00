import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { generator, hashOf } from '#test/media/chance.ts'
import { header, readWire } from '#test/support/wire.ts'

/** One packet in twenty is lost. */
const LOSS = 0.05
/** Each is late by anything up to this: the interarrival jitter (RFC 3550 §6.4.1) of a uniform delay is a third of its width, so 30 ms. */
const MOST_LATE_MS = 90
const FRAME_MS = 20
/** A sender that says nothing for so long has paused; for less, the machine stood still. */
const PAUSE_MS = 1_000
/** Of what a packet is behind, so much is made up for with the next. */
const CATCHING_UP = 0.02

interface At {
  address: string
  port: number
}

/** One end of the wire: the system there, and where that system believes the other one to be. */
interface End {
  readonly system: At
  readonly sip: Socket
  readonly shown: At
}

/** What one direction of one call's audio went through. */
export interface Passed {
  /** Packet numbers in the order sent. */
  sent: number
  lost: Set<number>
  /** Packets that arrived after one that was sent later. */
  overtaken: number
  /** Delay of each, in ms. */
  lateMs: number[]
}

/** The audio of one call: RTP and RTCP sockets that stand for each side. */
interface Path {
  name: string
  /** Which of the two ends stands behind this half, where its audio is, and the sockets that stand for the other system there. */
  halves: [Half, Half]
}

interface Half {
  sockets: [Socket, Socket]
  port: number
  audio: At | null
  chance: () => number
  passed: Passed
  newest: number
  /** The last packet, and when it would have come on a machine that never stands still. */
  last: { sequence: number; at: number } | null
}

/**
 * A bad wire between two systems, each of which believes the other to be at the wire's address: SIP and the audio of all calls go through it, and
 * each packet is lost, or late by a while, by a draw that depends on the seed, the call, the direction and how many came before it, and on nothing else.
 * Where the machine stands still and many packets come at once, they leave as late and in the order as if it had not.
 */
export class LossyWire implements AsyncDisposable {
  readonly #ends: [End, End]
  readonly #seed: number
  readonly #spare: Path[]
  readonly #paths = new Map<string, Path>()
  /** The name of each call: the number that was dialled. */
  readonly #names = new Map<string, string>()
  readonly #kinds = new Map<string, number>()
  readonly #under: { at: number; task: () => void }[] = []
  #timer: NodeJS.Timeout | null = null
  /** SIP messages lost, by method or status. */
  readonly lostSignalling: string[] = []

  private constructor(ends: [End, End], seed: number, spare: Path[]) {
    this.#ends = ends
    this.#seed = seed
    this.#spare = spare
    for (const side of [0, 1] as const) ends[side].sip.on('message', (bytes) => this.#signal(side, bytes.toString('utf8')))
  }

  /** Between two SIP addresses, for so many calls. */
  static async open(systems: [At, At], { seed, calls }: { seed: number; calls: number }): Promise<LossyWire> {
    const end = async (system: At, address: string): Promise<End> => {
      const sip = await bound(address, 0)
      return { system, sip, shown: { address, port: sip.address().port } }
    }
    const ends: [End, End] = [await end(systems[0], '127.0.0.41'), await end(systems[1], '127.0.0.42')]
    const spare: Path[] = []
    for (let i = 0; i < calls; i++) {
      spare.push({ name: '', halves: [await openHalf(ends[0].shown.address), await openHalf(ends[1].shown.address)] })
    }
    return new LossyWire(ends, seed, spare)
  }

  /** Where the other system is, as each end sees it. */
  get shown(): [At, At] {
    return [this.#ends[0].shown, this.#ends[1].shown]
  }

  /** What happened to the audio of the call to this number that came from that side. */
  audio(number: string, from: 0 | 1): Passed {
    const path = this.#paths.get(number)
    if (path === undefined) throw new Error(`no call to ${number} went over the wire`)
    return path.halves[from].passed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const all = [...this.#spare, ...this.#paths.values()].flatMap(({ halves }) => halves.flatMap(({ sockets }) => sockets))
    for (const socket of [...all, this.#ends[0].sip, this.#ends[1].sip]) {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    }
  }

  #signal(from: 0 | 1, text: string): void {
    const message = readWire(text)
    const callId = header(message, 'call-id')
    const to = header(message, 'to')
    const name = this.#names.get(callId) ?? /sip:([^@;>]+)/.exec(to)?.[1] ?? callId
    this.#names.set(callId, name)
    const kind = message.method === '' ? `${message.status} ${header(message, 'cseq').replace(/^\d+ /, '')}` : message.method
    const key = `${name} ${from} ${kind}`
    const nth = (this.#kinds.get(key) ?? 0) + 1
    this.#kinds.set(key, nth)
    const chance = generator(this.#seed ^ hashOf(`${key} ${nth}`))
    const rewritten = this.#rewritten(from, name, text)
    if (chance() < LOSS) {
      this.lostSignalling.push(kind)
      return
    }
    const there = this.#ends[from === 0 ? 1 : 0]
    this.#sendAt(performance.now() + chance() * MOST_LATE_MS, () => there.sip.send(rewritten, there.system.port, there.system.address))
  }

  /** Each side is told the wire's addresses in place of the other's, everywhere. */
  #rewritten(from: 0 | 1, name: string, text: string): string {
    const [here, there] = from === 0 ? this.#ends : ([this.#ends[1], this.#ends[0]] as const)
    const [head = '', body = ''] = text.split('\r\n\r\n')
    const swapped = head
      .replaceAll(`${here.shown.address}:${here.shown.port}`, 'THERE')
      .replaceAll(`${here.system.address}:${here.system.port}`, `${there.shown.address}:${there.shown.port}`)
      .replaceAll('THERE', `${there.system.address}:${there.system.port}`)
    const described = body.startsWith('v=0') ? this.#described(from, name, body) : body
    return `${swapped.replace(/^(Content-Length|l): *\d+/im, `Content-Length: ${Buffer.byteLength(described)}`)}\r\n\r\n${described}`
  }

  #described(from: 0 | 1, name: string, sdp: string): string {
    const path = this.#pathOf(name)
    const [own, other] = [path.halves[from], path.halves[from === 0 ? 1 : 0]]
    own.audio = { address: /^c=IN IP4 (\S+)/m.exec(sdp)?.[1] ?? '', port: Number(/^m=audio (\d+)/m.exec(sdp)?.[1]) }
    const shown = this.#ends[from === 0 ? 1 : 0].shown.address
    return sdp.replace(/^c=IN IP4 .*$/m, `c=IN IP4 ${shown}`).replace(/^m=audio \d+/m, `m=audio ${other.port}`)
  }

  #pathOf(name: string): Path {
    const known = this.#paths.get(name)
    if (known !== undefined) return known
    const path = this.#spare.pop()
    if (path === undefined) throw new Error('more calls than the wire was opened for')
    path.name = name
    this.#paths.set(name, path)
    for (const side of [0, 1] as const) {
      const half = path.halves[side]
      half.chance = generator(this.#seed ^ hashOf(`${name} ${side} audio`))
      for (const which of [0, 1] as const) half.sockets[which].on('message', (packet) => this.#carry(path, side, which, packet))
    }
    return path
  }

  /** A packet from the system at that side: RTP (0) or RTCP (1). */
  #carry(path: Path, from: 0 | 1, which: 0 | 1, packet: Buffer): void {
    const [own, other] = [path.halves[from], path.halves[from === 0 ? 1 : 0]]
    const to = other.audio
    if (to === null) return
    const send = (): void => other.sockets[which].send(packet, to.port + which, to.address)
    if (which === 1) {
      this.#sendAt(performance.now() + MOST_LATE_MS / 2, send)
      return
    }
    const { passed } = own
    const number = passed.sent++
    const isLost = own.chance() < LOSS
    const lateMs = own.chance() * MOST_LATE_MS
    passed.lateMs.push(lateMs)
    const at = cameAt(own, packet)
    if (isLost) passed.lost.add(number)
    else
      this.#sendAt(at + lateMs, () => {
        if (number < own.newest) passed.overtaken++
        own.newest = Math.max(own.newest, number)
        send()
      })
  }

  #sendAt(at: number, task: () => void): void {
    this.#under.push({ at, task })
    this.#timer ??= setTimeout(() => this.#sendDue(), 1)
  }

  /** All timers of Node that are due run by their length, and not in order: one for all. */
  #sendDue(): void {
    const now = performance.now()
    const due = this.#under.filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)
    const rest = this.#under.filter(({ at }) => at > now)
    this.#under.splice(0, this.#under.length, ...rest)
    for (const { task } of due) task()
    this.#timer = this.#under.length === 0 ? null : setTimeout(() => this.#sendDue(), 1)
  }
}

/** When a packet of this stream came, or would have, had the machine not stood still: so many frames after the one before. */
function cameAt(half: Half, packet: Buffer): number {
  const now = performance.now()
  const sequence = packet.readUInt16BE(2)
  const frames = half.last === null ? 0 : ((sequence - half.last.sequence) << 16) >> 16
  const expected = half.last === null ? now : half.last.at + frames * FRAME_MS
  // A sender that paused, or a machine that has become slower for good, is followed by and by.
  const at = now - expected > PAUSE_MS ? now : Math.min(now, expected + (now - expected) * CATCHING_UP)
  half.last = { sequence, at }
  return at
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(port, address)
  await once(socket, 'listening')
  socket.on('error', () => undefined)
  return socket
}

/** RTP on a free even port, RTCP on the next. */
async function openHalf(address: string): Promise<Half> {
  for (;;) {
    const rtp = await bound(address, 0)
    const { port } = rtp.address()
    const rtcp = port % 2 === 0 ? await bound(address, port + 1).catch(() => null) : null
    if (rtcp !== null) {
      const passed = { sent: 0, lost: new Set<number>(), overtaken: 0, lateMs: [] }
      return { sockets: [rtp, rtcp], port, audio: null, chance: () => 0, passed, newest: -1, last: null }
    }
    rtp.close()
  }
}
