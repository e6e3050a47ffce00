import { Application, Bandwidth, createDecoder, createEncoder, type OpusDecoderHandle, type OpusEncoderHandle, Signal } from 'libopus-wasm'
import type { OpusTerms } from '#media/engine.ts'
import { type Decoder, type Encoder, LONGEST_PACKET_MS, type RateHz } from '#media/codec/codec.ts'

/** What one call spends on speech, by the rate that is worth encoding: wideband 24 kbit/s, narrowband 14 (RFC 7587 §3.1.1). */
const BITRATE: Readonly<Record<RateHz, number>> = { 8000: 14_000, 16_000: 24_000 }

/** 0 to 10: up to 5 speech gains by it, beyond it only costs. */
const COMPLEXITY = 5

/** Longest packet that leaves: what one Ethernet frame surely carries beside its headers. */
const LONGEST_PAYLOAD = 1275

/** Opus of one stream, decoded at the rate that its listener has use for. libopus is there a moment after the first is made; until then it is silent. */
export class OpusDecoder implements Decoder {
  readonly rateHz: RateHz
  #handle: OpusDecoderHandle | null = null
  #freed = false

  constructor(rateHz: RateHz) {
    this.rateHz = rateHz
    this.#handle = spareDecoders[rateHz]?.pop() ?? null
    if (this.#handle === null) void this.#open()
    void prepareOpusDecoder(rateHz)
  }

  async #open(): Promise<void> {
    const handle = await newDecoder(this.rateHz)
    if (this.#freed) handle.free()
    else this.#handle = handle
  }

  decode(payload: Uint8Array, pcm: Int16Array): number {
    const decoded = attempt(() => this.#handle?.decode(payload))
    if (decoded === undefined) return 0
    pcm.set(decoded.subarray(0, pcm.length))
    return Math.min(decoded.length, pcm.length)
  }

  /** libopus conceals by itself, in steps of 2.5 ms (RFC 6716 §4.4). */
  conceal(pcm: Int16Array): void {
    const concealed = attempt(() => this.#handle?.decodePacketLoss(pcm.length))
    if (concealed === undefined) pcm.fill(0)
    else pcm.set(concealed.subarray(0, pcm.length))
  }

  /** In-band FEC (RFC 6716 §2.1.7); where there is none libopus conceals. */
  recover(payload: Uint8Array, pcm: Int16Array): boolean {
    const decoded = attempt(() => this.#handle?.decode(payload, { decodeFec: true, frameSize: pcm.length }))
    if (decoded === undefined) return false
    pcm.set(decoded.subarray(0, pcm.length))
    return true
  }

  free(): void {
    this.#freed = true
    this.#handle?.free()
    this.#handle = null
  }
}

/** Decoders made ahead, as making one takes a turn of the event loop in which packets may come. */
const spareDecoders: Record<number, OpusDecoderHandle[]> = {}

/** Has a decoder ready, so that the first packet of the next stream is heard. */
export async function prepareOpusDecoder(rateHz: RateHz): Promise<void> {
  const spare = (spareDecoders[rateHz] ??= [])
  if (spare.length === 0) spare.push(await newDecoder(rateHz))
}

function newDecoder(rateHz: RateHz): Promise<OpusDecoderHandle> {
  return createDecoder({ sampleRate: rateHz, channels: 1, maxFrameSize: (LONGEST_PACKET_MS * rateHz) / 1000 })
}

/** Encodes to Opus, mono, with in-band FEC as soon as the peer reports losses, if it says that it makes use of that. */
export class OpusEncoder implements Encoder {
  readonly rateHz: RateHz
  #handle: OpusEncoderHandle | null = null
  #freed = false
  readonly #terms: OpusTerms
  #lossPercent = 0
  #sourceHz: RateHz

  constructor(rateHz: RateHz, terms: OpusTerms) {
    this.rateHz = rateHz
    this.#terms = terms
    this.#sourceHz = rateHz
    void this.#open()
  }

  async #open(): Promise<void> {
    const handle = await createEncoder({
      sampleRate: this.rateHz,
      channels: 1,
      application: Application.Voip,
      signal: Signal.Voice,
      bitrate: this.#bitrate,
      complexity: COMPLEXITY,
      vbr: true,
      frameSize: this.rateHz / 50,
    })
    if (this.#freed) {
      handle.free()
      return
    }
    this.#handle = handle
    if (this.#sourceHz !== this.rateHz) this.#follow()
    this.#spend(this.#lossPercent)
  }

  get #bitrate(): number {
    return Math.min(BITRATE[this.#sourceHz], this.#terms.maxBitrate ?? Number.POSITIVE_INFINITY)
  }

  /** 10, 20, 40 or 60 ms; other packet times Opus has not, and they give nothing. */
  encode(pcm: Int16Array, payload: Uint8Array, at: number): number {
    const room = Math.min(LONGEST_PAYLOAD, payload.length - at)
    const encoded = attempt(() => this.#handle?.encode(pcm, { frameSize: pcm.length, maxPacketBytes: room }))
    if (encoded === undefined) return 0
    payload.set(encoded, at)
    return encoded.length
  }

  /** A narrowband voice is encoded as one, which costs half as much; what was learnt of it stays when a wideband one follows. */
  expectSource(rateHz: RateHz): void {
    if (rateHz === this.#sourceHz) return
    this.#sourceHz = rateHz
    this.#follow()
  }

  #follow(): void {
    attempt(() => {
      this.#handle?.setMaxBandwidth(this.#sourceHz === 8000 ? Bandwidth.Narrowband : Bandwidth.Wideband)
      this.#handle?.setBitrate(this.#bitrate)
    })
  }

  expectLoss(percent: number): void {
    const whole = Math.min(50, Math.max(0, Math.round(percent)))
    if (whole === this.#lossPercent || !this.#terms.fec) return
    this.#lossPercent = whole
    this.#spend(whole)
  }

  #spend(lossPercent: number): void {
    attempt(() => {
      this.#handle?.setFec(lossPercent > 0)
      this.#handle?.setPacketLossPercent(lossPercent)
    })
  }

  free(): void {
    this.#freed = true
    this.#handle?.free()
    this.#handle = null
  }
}

/** libopus refuses what is no Opus by throwing; here that is one packet less. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
