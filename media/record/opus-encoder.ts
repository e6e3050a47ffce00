import { Application, createEncoder, Signal } from 'libopus-wasm'
import { PACKET_SAMPLES, type PacketEncoder } from '#media/record/audio-body.ts'

/**
 * Bits a second that the encoder aims at on average. With variable rate speech comes out a little below, silence far below: a
 * minute of two people talking takes some 80 to 90 kB in the file.
 */
export const BITRATE = 12_500

/** 0 to 10. From 1 to 5 the work doubles, and the spectrum comes nearer to the original by less than 0.15 dB: nobody hears that on the telephone. */
const COMPLEXITY = 1

/** Longest packet there can be (RFC 6716 §3.4 R2: 1,275 octets a frame). */
const LONGEST_PACKET = 1275

/** Narrowband mono speech, encoded at the 8 kHz it has. `free` gives its memory back. */
export async function opusEncoder(): Promise<PacketEncoder & { free(): void }> {
  const encoder = await createEncoder({
    sampleRate: 8000,
    channels: 1,
    application: Application.Voip,
    signal: Signal.Voice,
    bitrate: BITRATE,
    complexity: COMPLEXITY,
    vbr: true,
    frameSize: PACKET_SAMPLES,
  })
  const options = { maxPacketBytes: LONGEST_PACKET }
  return {
    lookahead: encoder.getLookahead(),
    encode: (pcm) => encoder.encode(pcm, options),
    free: () => encoder.free(),
  }
}
