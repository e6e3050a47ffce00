import type { Millis } from '#base/clock.ts'
import { G711_PER_MS, isG711 } from '#media/codec/g711.ts'
import { opusPacketMs } from '#media/codec/opus-packet.ts'
import type { Codec, StreamParams } from '#media/engine.ts'
import type { RtpHeader } from '#media/rtp/header.ts'

/** So many packets in a row of another packet time make a stream repacketised, and so many of the same let it pass again. */
const BEGIN_AFTER = 3
const END_AFTER = 100

/**
 * Decides whether the joined party's packets can be passed on as they come, which is the rule and costs nothing, or must be decoded and encoded:
 * because the other codec is none that a table turns into this one, or because another packet time was asked for.
 */
export class Passage {
  #decodes = false
  #against = 0

  /** Whether this packet must be decoded for `stream`. */
  mustDecode(packet: Uint8Array, header: RtpHeader, codec: Codec, stream: StreamParams): boolean {
    if (!areAlike(codec, stream.codec)) return true
    const decodes = msOf(packet, header, codec) !== stream.ptimeMs
    if (decodes === this.#decodes) this.#against = 0
    else if (++this.#against >= (decodes ? BEGIN_AFTER : END_AFTER)) {
      this.#decodes = decodes
      this.#against = 0
    }
    return this.#decodes
  }

  reset(): void {
    this.#decodes = false
    this.#against = 0
  }
}

/** Whether payloads of the one serve as the other's, by a table at most. */
export function areAlike(one: Codec, other: Codec): boolean {
  return one === other || (isG711(one) && isG711(other))
}

/** G.722 has as many octets a millisecond as G.711. */
function msOf(packet: Uint8Array, { payloadStart, payloadEnd }: RtpHeader, codec: Codec): Millis {
  return codec === 'opus' ? opusPacketMs(packet.subarray(payloadStart, payloadEnd)) : (payloadEnd - payloadStart) / G711_PER_MS
}
