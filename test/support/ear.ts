import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { decodeAll, encodeAll, G711_PER_MS } from '#media/codec/g711.ts'
import { levelDb } from '#media/listen/stretches.ts'

const headerBytes = 12
/** 20 ms. */
const frameBytes = 160
const patienceMs = 60_000
/** Louder than this, in dB below full scale, is sound. */
const soundDb = -45

/** A G.711 A-law receiver that keeps what it hears. */
export class Ear implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly #socket: Socket
  #pcm: Int16Array[] = []
  #loudMs = 0
  #waiting: { ms: number; resolve: () => void }[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    this.address = socket.address().address
    this.port = socket.address().port
    socket.on('message', (packet) => this.#hear(packet))
  }

  static async open(address: string): Promise<Ear> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new Ear(socket)
  }

  /** Resolves when so much sound, silence not counted, has come since the last `forget`. */
  async sound(ms: number): Promise<void> {
    if (this.#loudMs >= ms) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ ms, resolve })
    const timer = setTimeout(() => reject(new Error(`heard ${this.#loudMs} ms of sound, not ${ms}`)), patienceMs)
    try {
      await promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** Speaks from the same port until disposed, as G.711 A-law: a buzz of 500 Hz, or a pure tone of so many, a multiple of 50. */
  speak(to: { address: string; port: number }, hertz?: number): Disposable {
    const packet = Buffer.alloc(headerBytes + frameBytes)
    packet.writeUInt16BE(0x8008, 0)
    packet.writeUInt32BE(0x51ab51ab, 8)
    for (let i = 0; i < frameBytes; i++) packet[headerBytes + i] = i % 16 < 8 ? 0x90 : 0x10
    if (hertz !== undefined) {
      // A packet holds whole cycles, so that one follows the other without a click.
      const pcm = Int16Array.from({ length: frameBytes }, (_, i) => 6_000 * Math.sin((2 * Math.PI * hertz * i) / 8_000))
      packet.set(encodeAll('PCMA', pcm), headerBytes)
    }
    let sent = 0
    const timer = setInterval(() => {
      packet.writeUInt16BE(sent & 0xffff, 2)
      packet.writeUInt32BE(sent * frameBytes, 4)
      sent++
      this.#socket.send(Buffer.from(packet), to.port, to.address)
    }, 20)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  /** All that was received, in the order of arrival. */
  get pcm(): Int16Array {
    const all = new Int16Array(this.#pcm.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of this.#pcm) {
      all.set(part, at)
      at += part.length
    }
    return all
  }

  forget(): void {
    this.#pcm = []
    this.#loudMs = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  #hear(packet: Buffer): void {
    // RTCP has payload types 64 to 95 where RTP has its marker and type (RFC 5761 §4).
    if (packet.length <= headerBytes || ((packet[1] ?? 0) & 0x7f) !== 8) return
    const pcm = decodeAll('PCMA', packet.subarray(headerBytes))
    this.#pcm.push(pcm)
    if (levelDb(pcm) < soundDb) return
    this.#loudMs += pcm.length / G711_PER_MS
    this.#waiting = this.#waiting.filter((each) => {
      if (this.#loudMs < each.ms) return true
      each.resolve()
      return false
    })
  }
}
