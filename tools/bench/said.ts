import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import { openEncoder } from '#media/codec/streams.ts'
import { Doubler } from '#media/dsp/half-band.ts'
import type { Codec } from '#media/engine.ts'
import { babble } from '#media/listen/babble.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import type { Said } from '#tools/bench/load.ts'

const headerBytes = 12
const frameMs = 20
const ssrc = 0x0bad_cafe

/** Of AES_CM_128_HMAC_SHA1_80: every call has the same, as it is its own session to the system. */
const key = Buffer.from('a key and a salt for the bench').toString('base64')

/**
 * Speech-like sound in a codec as RTP packets, written into `folder` for rtpload: encoded by our own encoders, and protected already where it
 * shall be encrypted, so that making load costs no more than sending.
 */
export async function writeSaid(
  folder: string,
  codec: Codec,
  { seconds, isSealed = false }: { seconds: number; isSealed?: boolean },
): Promise<Said> {
  const { clockHz, channels, offeredType, rateHz } = CODEC_TERMS[codec]
  const encoder = openEncoder(codec, rateHz)
  const doubler = rateHz === 8000 ? null : new Doubler()
  const sealing = isSealed ? SrtpSender.open({ suite: 'AES_CM_128_HMAC_SHA1_80', key }) : null
  const pcm = babble(1, seconds * 1000)
  const [samples, wide] = [8 * frameMs, new Int16Array(16 * frameMs)]
  const parts: Buffer[] = []
  const packet = Buffer.alloc(headerBytes + 1275)
  // libopus is there a moment after it is asked for.
  while (encoder.encode(wide.subarray(0, (rateHz * frameMs) / 1000), packet, headerBytes) === 0) await setImmediate()
  for (let n = 0; (n + 1) * samples <= pcm.length; n++) {
    const words = pcm.subarray(n * samples, (n + 1) * samples)
    doubler?.run(words, wide)
    const bytes = encoder.encode(doubler === null ? words : wide, packet, headerBytes)
    packet[0] = 0x80
    packet[1] = offeredType
    packet.writeUInt16BE(n & 0xffff, 2)
    packet.writeUInt32BE((n * clockHz * frameMs) / 1000, 4)
    packet.writeUInt32BE(ssrc, 8)
    const whole = sealing === null ? packet.subarray(0, headerBytes + bytes) : sealing.protect(packet, 0, headerBytes + bytes)
    if (whole === null) throw new Error('a packet of the load could not be protected')
    const length = Buffer.alloc(2)
    length.writeUInt16LE(whole.length)
    parts.push(length, Buffer.from(whole))
  }
  encoder.free()
  const file = join(folder, `said-${codec}${isSealed ? '-sealed' : ''}`)
  writeFileSync(file, Buffer.concat(parts))
  return { file, codec: `${offeredType} ${codec}/${clockHz}${channels === 2 ? '/2' : ''}`, ...(isSealed && { key }) }
}
