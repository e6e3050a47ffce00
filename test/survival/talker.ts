import { createSocket, type Socket } from 'node:dgram'

const headerBytes = 12
const frameSamples = 160
const frameMs = 20
/** What fills its packets behind their number and instant: what else comes, such as the engine's silence, is none of them. */
const filling = 0xff
/** The beat comes every 10 ms: later than this, the process was away. */
const awayMs = 15

/** From when to when nothing was heard, ms of Unix time. */
export interface Silence {
  readonly from: number
  readonly to: number
}

/** One end of an audio stream without a codec: sends numbered G.711 packets every 20 ms and counts what comes from its partner. */
export class Talker implements Disposable {
  readonly #socket: Socket
  #peer: { address: string; port: number } | null = null
  #seq = 0
  #sent = 0
  #first = 0
  /** Packets from here on are still on their way, and are not counted as lost. */
  #until = Number.POSITIVE_INFINITY
  #got = new Set<number>()
  #duplicates = 0
  #waiting: { wanted: number; resolve: () => void }[] = []
  #heard = Promise.withResolvers<void>()
  #lastTransitMs: number | null = null
  #lastNumber = 0
  #silences: Silence[] = []
  #jitterMs = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (packet) => this.#hear(packet))
    socket.on('error', () => undefined)
  }

  static open(address: string): Promise<Talker> {
    const socket = createSocket('udp4')
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, address, () => resolve(new Talker(socket)))
    })
  }

  get port(): number {
    return this.#socket.address().port
  }
  get sent(): number {
    return this.#sent
  }
  get received(): number {
    return this.#got.size
  }
  get duplicates(): number {
    return this.#duplicates
  }
  /** Resolves when the last packet that `partner` has sent by now, or a later one, has come. Until `reset`, only packets sent by now count as lost. */
  caughtUp(partner: Talker): Promise<void> {
    partner.#until = partner.#seq
    const wanted = partner.#seq - 1
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }))
  }
  /** Resolves at the first packet, whoever's it is. */
  get heard(): Promise<void> {
    return this.#heard.promise
  }

  /** Where its audio goes; null: nowhere. */
  get peer(): { address: string; port: number } | null {
    return this.#peer
  }

  /** Where to send from now on. */
  set peer(peer: { address: string; port: number } | null) {
    this.#peer = peer
  }

  /** Sends one packet; the town's one beat drives all talkers. The number of the packet is its payload, since relays renumber. */
  beat(): void {
    if (this.#peer === null) return
    const packet = Buffer.alloc(headerBytes + frameSamples, filling)
    packet[0] = 0x80
    packet[1] = 8
    packet.writeUInt16BE(this.#seq & 0xffff, 2)
    packet.writeUInt32BE((this.#seq * frameSamples) >>> 0, 4)
    packet.writeUInt32BE(this.port, 8)
    packet.writeUInt32BE(this.#seq, headerBytes)
    packet.writeDoubleBE(performance.now(), headerBytes + 4)
    this.#seq++
    this.#sent++
    this.#socket.send(packet, this.#peer.port, this.#peer.address)
  }

  /** From the next packet on, what this end sends its partner must get. */
  reset(): void {
    this.#sent = 0
    this.#first = this.#seq
    this.#until = Number.POSITIVE_INFINITY
    this.#duplicates = 0
    this.#lastTransitMs = null
    this.#silences = []
    this.#jitterMs = 0
  }

  /** Packets sent since `reset` that `partner` has not got. */
  lostTo(partner: Talker): number {
    let lost = 0
    for (let number = this.#first; number < Math.min(this.#seq, this.#until); number++) if (!partner.#got.has(number)) lost++
    return lost
  }

  /** Share of the packets since `reset` that `partner` has not got, and how many were lost in a row, on average; both 0: none. */
  lossTo(partner: Talker): { share: number; run: number } {
    let [lost, runs, isLost] = [0, 0, false]
    const end = Math.min(this.#seq, this.#until)
    for (let number = this.#first; number < end; number++) {
      const wasLost = isLost
      isLost = !partner.#got.has(number)
      if (isLost) lost++
      if (isLost && !wasLost) runs++
    }
    return { share: lost / Math.max(1, end - this.#first), run: lost / Math.max(1, runs) }
  }

  /** Mean variation of the time on the way since `reset` (RFC 3550 §A.8); when this process did not come to read, that does not count. */
  get jitterMs(): number {
    return this.#jitterMs
  }

  /** The longest run of packets, one after the other, that `partner` has not got since `reset`: the gap in ms. */
  gapTo(partner: Talker): number {
    let [gap, longest] = [0, 0]
    for (let number = this.#first; number < this.#seq; number++) {
      gap = partner.#got.has(number) ? 0 : gap + 1
      longest = Math.max(longest, gap)
    }
    return longest * frameMs
  }

  /**
   * The silences of more than two packets heard since `reset`, as far as they are not this end's doing: by how much longer than the packet before it
   * each one took, and what is missing in between. When the sender was late, or this process did not come to read, that does not count.
   */
  get silences(): readonly Silence[] {
    return this.#silences
  }

  #time(packet: Buffer, number: number): void {
    const arrived = arrivedAt()
    const transitMs = Math.max(0, arrived - packet.readDoubleBE(headerBytes + 4))
    if (this.#lastTransitMs !== null && number > this.#lastNumber) {
      const silenceMs = (number - this.#lastNumber) * frameMs + transitMs - this.#lastTransitMs
      const to = performance.timeOrigin + arrived
      this.#jitterMs += (Math.abs(transitMs - this.#lastTransitMs) - this.#jitterMs) / 16
      if (silenceMs > 2 * frameMs) this.#silences.push({ from: to - silenceMs, to })
    }
    if (number > this.#lastNumber || this.#lastTransitMs === null) {
      this.#lastNumber = number
      this.#lastTransitMs = transitMs
    }
  }

  #hear(packet: Buffer): void {
    if (packet.length !== headerBytes + frameSamples) return
    this.#heard.resolve()
    if (packet.at(-1) !== filling) return
    const number = packet.readUInt32BE(headerBytes)
    this.#time(packet, number)
    if (this.#got.has(number)) this.#duplicates++
    this.#got.add(number)
    for (const each of this.#waiting) if (number >= each.wanted) each.resolve()
    this.#waiting = this.#waiting.filter((each) => number < each.wanted)
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }
}

/** When this process last came round to its timers; and, while it catches up after a stall, since when it had not. */
const here = { aliveAt: performance.now(), awayFrom: null as number | null }

/** The instant at which what is read now may have come: the process reads late when it was held up or not given the processor. */
function arrivedAt(): number {
  const now = performance.now()
  if (here.awayFrom !== null) return here.awayFrom
  return now - here.aliveAt > awayMs ? here.aliveAt + frameMs / 2 : now
}

function alive(): void {
  const now = performance.now()
  if (now - here.aliveAt > awayMs) {
    here.awayFrom = here.aliveAt + frameMs / 2
    // Sockets are read between the timers and this.
    setImmediate(() => (here.awayFrom = null))
  }
  here.aliveAt = now
}

/** Drives many talkers by one timer that catches up when it was late. */
export function beatFor(talkers: Iterable<Talker>): Disposable {
  const startedAt = performance.now()
  let beats = 0
  const timer = setInterval(() => {
    alive()
    while (beats * frameMs < performance.now() - startedAt) {
      beats++
      for (const talker of talkers) talker.beat()
    }
  }, frameMs / 2)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
