import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decodeAll, G711_PER_MS } from '#media/codec/g711.ts'
import { levelDb } from '#media/listen/stretches.ts'

const headerBytes = 12
const patienceMs = 15_000
/** Louder than this, in dB below full scale, is sound. */
const soundDb = -45

/** A G.711 A-law receiver that keeps what it hears. */
export class Ear implements AsyncDisposable {
  readonly port: number
  readonly #socket: Socket
  #pcm: Int16Array[] = []
  #loudMs = 0
  #waiting: { ms: number; resolve: () => void }[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    this.port = socket.address().port
    socket.on('message', (packet) => this.#hear(packet))
  }

  static async open(address: string): Promise<Ear> {
    const socket = createSocket('udp4')
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
