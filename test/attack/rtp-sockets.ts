import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { until } from '#test/support/sounds.ts'

/** RTP on a port, RTCP on the next, as bytes: without the code that is under test. */
export class RtpSockets implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly received: { port: 'rtp' | 'rtcp'; packet: Buffer }[] = []

  protected constructor(address: string, port: number, rtp: Socket, rtcp: Socket) {
    this.address = address
    this.port = port
    this.rtp = rtp
    this.rtcp = rtcp
    rtp.on('message', (packet) => void this.received.push({ port: 'rtp', packet }))
    rtcp.on('message', (packet) => void this.received.push({ port: 'rtcp', packet }))
  }

  protected static async bind(address: string, port: number): Promise<[Socket, Socket]> {
    const sockets: [Socket, Socket] = [createSocket('udp4'), createSocket('udp4')]
    for (const [n, socket] of sockets.entries()) {
      socket.bind(port + n, address)
      await once(socket, 'listening')
    }
    return sockets
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.rtp, this.rtcp]) {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    }
  }
}

/** A-law, and telephone-events as both phones of the test offer them. */
const pcma = 8
const telephoneEvent = 101

export interface RtpFields {
  payloadType?: number
  sequence: number
  ssrc: number
  payload: Uint8Array
}

export function rtpPacket({ payloadType = pcma, sequence, ssrc, payload }: RtpFields): Buffer {
  const packet = Buffer.alloc(12 + payload.length)
  packet[0] = 0x80
  packet[1] = payloadType
  packet.writeUInt16BE(sequence & 0xffff, 2)
  packet.writeUInt32BE((sequence * 160) >>> 0, 4)
  packet.writeUInt32BE(ssrc, 8)
  packet.set(payload, 12)
  return packet
}

/** The last packet of a key press (RFC 4733 §2.3): key 1 to 9, 100 ms. */
export function keyPacket(key: number, sequence: number, ssrc: number): Buffer {
  return rtpPacket({ payloadType: telephoneEvent, sequence, ssrc, payload: Buffer.from([key, 0x8a, 0x03, 0x20]) })
}

/** One end of the call: says the same frame every 20 ms, which tells it from everybody else's. */
export class Speaker extends RtpSockets {
  readonly ssrc = randomInt(2 ** 32 - 1)
  readonly #frame: Buffer
  #to: { address: string; port: number } | null = null
  #sequence = randomInt(30_000)
  readonly #timer: NodeJS.Timeout

  private constructor(address: string, port: number, sockets: [Socket, Socket], frame: number) {
    super(address, port, ...sockets)
    this.#frame = Buffer.alloc(160, frame)
    this.#timer = setInterval(() => this.#say(), 20)
  }

  /** `frame`: the octet that its audio is made of. */
  static async open(address: string, port: number, frame: number): Promise<Speaker> {
    return new Speaker(address, port, await RtpSockets.bind(address, port), frame)
  }

  /** From now on it talks to there. */
  aim(to: { address: string; port: number }): void {
    this.#to = to
  }

  press(key: number): void {
    if (this.#to !== null) this.rtp.send(keyPacket(key, ++this.#sequence, this.ssrc), this.#to.port, this.#to.address)
  }

  /** How many frames made of this octet it got. */
  framesOf(frame: number): number {
    return this.received.filter(
      ({ packet }) => packet.length === 172 && (packet[1] ?? 0) % 128 === pcma && packet.subarray(12).every((octet) => octet === frame),
    ).length
  }

  /** Key presses that it got. */
  get keys(): number {
    return this.received.filter(({ port, packet }) => port === 'rtp' && (packet[1] ?? 0) % 128 === telephoneEvent).length
  }

  async hears(frame: number, frames: number): Promise<void> {
    const before = this.framesOf(frame)
    await until(`${this.address}:${this.port} hears ${frames} frames of ${frame}`, () =>
      Promise.resolve(this.framesOf(frame) - before >= frames),
    )
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await super[Symbol.asyncDispose]()
  }

  #say(): void {
    if (this.#to === null) return
    this.rtp.send(rtpPacket({ sequence: ++this.#sequence, ssrc: this.ssrc, payload: this.#frame }), this.#to.port, this.#to.address)
  }
}

/** Of which the attacker's audio is made. */
export const evilFrame = 0x66

/** Reports too short to be any, and one that claims to be longer than it is. */
const tiny = [Buffer.alloc(0), Buffer.of(0x80), Buffer.of(0x80, 201, 0, 0), Buffer.of(0x81, 203, 0xff, 0xff, 0, 0, 0, 1)]

/** Packets that one port gets in a spray. */
export const spraysPerPort = 4 + tiny.length

/** Sends everything that might be taken for a peer's to every port there is: audio, key presses, reports and farewells. */
export class Attacker extends RtpSockets {
  sent = 0
  /** The stream it pretends to be: the peer's own, in the worst case. */
  ssrc = randomInt(2 ** 32 - 1)
  #sequence = randomInt(30_000)

  private constructor(address: string, port: number, sockets: [Socket, Socket]) {
    super(address, port, ...sockets)
  }

  static async open(address: string, port: number): Promise<Attacker> {
    return new Attacker(address, port, await RtpSockets.bind(address, port))
  }

  spray(ports: { first: number; last: number }): void {
    for (let port = ports.first; port <= ports.last; port++) {
      for (const packet of [
        rtpPacket({ sequence: ++this.#sequence, ssrc: this.ssrc, payload: Buffer.alloc(160, evilFrame) }),
        keyPacket(9, ++this.#sequence, this.ssrc),
        rtcpPacket(201, this.ssrc),
        rtcpPacket(203, this.ssrc),
        ...tiny,
      ]) {
        this.sent += 1
        this.rtp.send(packet, port, '127.0.0.1')
        this.rtcp.send(packet, port, '127.0.0.1')
      }
    }
  }
}

/** A receiver report without blocks (201), or a BYE (203). */
function rtcpPacket(type: 201 | 203, ssrc: number): Buffer {
  const packet = Buffer.from([type === 203 ? 0x81 : 0x80, type, 0, 1, 0, 0, 0, 0])
  packet.writeUInt32BE(ssrc, 4)
  return packet
}
