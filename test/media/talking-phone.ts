import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { CODEC_TERMS, type Encoder } from '#media/codec/codec.ts'
import { prepareOpusDecoder } from '#media/codec/opus.ts'
import { openDecoder, openEncoder } from '#media/codec/streams.ts'
import { Doubler, Halver } from '#media/dsp/half-band.ts'
import type { Codec } from '#media/engine.ts'
import { type PhoneAccount, type WireCall, WirePhone } from '#test/support/wire-phone.ts'

const headerBytes = 12
const frameMs = 20
const eventType = 101
/** Of a key press: 100 ms, its end told three times (RFC 4733 §2.5.1.4), then 80 ms of audio. */
const pressBeats = 5
const endBeats = 3
const gapBeats = 4
const keys = '0123456789*#ABCD'

/** A phone with one codec that says what it is given, presses keys, and keeps what it hears and which keys came. Its dialogs are `phone`'s. */
export class TalkingPhone implements AsyncDisposable {
  readonly phone: WirePhone
  readonly #codec: Codec
  readonly #socket: Socket
  readonly #encoder: Encoder
  readonly #doubler: Doubler | null
  readonly #ssrc = randomInt(2 ** 32 - 1)
  #to: { address: string; port: number } | null = null
  #sequence = randomInt(60_000)
  #timestamp = randomInt(2 ** 31)
  readonly #ticks: number
  /** What it has yet to say, at 8 kHz. */
  #words: Int16Array = new Int16Array(0)
  #spoken = Promise.withResolvers<void>()
  #pressing: { event: number; beat: number; at: number }[] = []
  #pressed = Promise.withResolvers<void>()
  /** Payloads by timestamp, and key presses by theirs. */
  readonly #heard = new Map<number, Buffer>()
  readonly #keys = new Map<number, number>()
  #first: number | null = null

  private constructor(phone: WirePhone, socket: Socket, codec: Codec) {
    this.phone = phone
    this.#socket = socket
    this.#codec = codec
    this.#encoder = openEncoder(codec, CODEC_TERMS[codec].rateHz)
    this.#doubler = CODEC_TERMS[codec].rateHz === 8000 ? null : new Doubler()
    this.#ticks = (CODEC_TERMS[codec].clockHz * frameMs) / 1000
    socket.on('message', (packet) => this.#hear(packet))
  }

  static async open(account: PhoneAccount, peer: { address: string; port: number }, codec: Codec): Promise<TalkingPhone> {
    const phone = await WirePhone.open(account, peer)
    const socket = createSocket('udp4')
    socket.bind(0, phone.ear.address)
    await once(socket, 'listening')
    const { clockHz, channels, offeredType } = CODEC_TERMS[codec]
    const name = `${codec}/${clockHz}${channels === 2 ? '/2' : ''}`
    phone.audio = [
      `m=audio ${socket.address().port} RTP/AVP ${offeredType} ${eventType}`,
      `a=rtpmap:${offeredType} ${name}`,
      `a=rtpmap:${eventType} telephone-event/8000`,
      'a=ptime:20',
    ]
    return new TalkingPhone(phone, socket, codec)
  }

  /** From now on it talks in this call. */
  talk(call: WireCall): void {
    this.#to = call.audioAt
  }

  /** Resolves when it has said this, 8 kHz. */
  say(pcm: Int16Array): Promise<void> {
    this.#words = pcm
    this.#spoken = Promise.withResolvers()
    return this.#spoken.promise
  }

  /** Resolves when the keys have been pressed, one after the other. */
  press(digits: string): Promise<void> {
    this.#pressing = [...digits].map((digit) => ({ event: keys.indexOf(digit), beat: 0, at: 0 }))
    this.#pressed = Promise.withResolvers()
    return this.#pressed.promise
  }

  /** Keys that came, in the order of their timestamps, each by whatever of its packets came. */
  get keys(): string {
    const first = this.#first ?? 0
    const order = [...this.#keys].toSorted(([a], [b]) => ((a - first) | 0) - ((b - first) | 0))
    return order.map(([, event]) => keys[event] ?? '?').join('')
  }

  /** What came, at 8 kHz; where its timestamps leave a gap there is silence. */
  async heard(): Promise<Int16Array> {
    if (this.#codec === 'opus') await prepareOpusDecoder(CODEC_TERMS.opus.rateHz)
    const decoder = openDecoder(this.#codec, CODEC_TERMS[this.#codec].rateHz)
    const halver = decoder.rateHz === 8000 ? null : new Halver()
    const first = this.#first ?? 0
    const order = [...this.#heard].map(([timestamp, payload]) => [(timestamp - first) | 0, payload] as const)
    order.sort(([a], [b]) => a - b)
    const perTick = 8000 / CODEC_TERMS[this.#codec].clockHz
    const pcm = new Int16Array(((order.at(-1)?.[0] ?? 0) + this.#ticks) * perTick)
    const frame = new Int16Array(120 * 16)
    for (const [at, payload] of order) {
      const count = decoder.decode(payload, frame)
      const part = frame.subarray(0, count)
      const samples = halver === null ? count : halver.run(part, frame)
      if (at >= 0) pcm.set(frame.subarray(0, Math.min(samples, pcm.length - at * perTick)), at * perTick)
    }
    decoder.free()
    return pcm
  }

  /** Forgets what it heard so far. */
  forget(): void {
    this.#heard.clear()
    this.#first = null
  }

  /** One packet; all phones are driven by one beat. */
  beat(): void {
    if (this.#to === null) return
    const pressing = this.#pressing[0]
    const words = this.#words.subarray(0, 8 * frameMs)
    if (pressing !== undefined && this.#pressBeat(pressing)) this.#timestamp += this.#ticks
    else this.#speak(words)
  }

  #speak(words: Int16Array): void {
    const frame = new Int16Array(8 * frameMs)
    frame.set(words)
    const isLast = this.#words.length > 0 && this.#words.length <= words.length
    this.#words = this.#words.subarray(words.length)
    const wide = new Int16Array(2 * frame.length)
    if (this.#doubler !== null) this.#doubler.run(frame, wide)
    const payload = Buffer.alloc(400)
    const bytes = this.#encoder.encode(this.#doubler === null ? frame : wide, payload, 0)
    this.#send({ type: CODEC_TERMS[this.#codec].offeredType, marker: false, timestamp: this.#timestamp }, payload.subarray(0, bytes))
    this.#timestamp += this.#ticks
    if (isLast) this.#spoken.resolve()
  }

  /** True: an event was sent in place of audio. */
  #pressBeat(pressing: { event: number; beat: number; at: number }): boolean {
    const beat = pressing.beat++
    if (beat === 0) pressing.at = this.#timestamp
    if (beat >= pressBeats + endBeats) {
      if (beat < pressBeats + endBeats + gapBeats) return false
      this.#pressing.shift()
      if (this.#pressing.length === 0) this.#pressed.resolve()
      return false
    }
    const isEnd = beat >= pressBeats
    const duration = Math.min(beat + 1, pressBeats) * 160
    const payload = Buffer.from([pressing.event, isEnd ? 0x8a : 0x0a, duration >> 8, duration & 0xff])
    this.#send({ type: eventType, marker: beat === 0, timestamp: pressing.at }, payload)
    return true
  }

  #send({ type, marker, timestamp }: { type: number; marker: boolean; timestamp: number }, payload: Uint8Array): void {
    if (this.#to === null || payload.length === 0) return
    const packet = Buffer.alloc(headerBytes + payload.length)
    packet[0] = 0x80
    packet[1] = type | (marker ? 0x80 : 0)
    packet.writeUInt16BE(this.#sequence++ & 0xffff, 2)
    packet.writeUInt32BE(timestamp >>> 0, 4)
    packet.writeUInt32BE(this.#ssrc, 8)
    packet.set(payload, headerBytes)
    this.#socket.send(packet, this.#to.port, this.#to.address)
  }

  #hear(packet: Buffer): void {
    const type = (packet[1] ?? 0) & 0x7f
    if (packet.length <= headerBytes || (type >= 64 && type < 96)) return
    const timestamp = packet.readUInt32BE(4)
    this.#first ??= timestamp
    if (type === eventType) this.#keys.set(timestamp, packet[headerBytes] ?? 0)
    else this.#heard.set(timestamp, Buffer.from(packet.subarray(headerBytes)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#encoder.free()
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
    await this.phone[Symbol.asyncDispose]()
  }
}
