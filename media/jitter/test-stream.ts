import { encodeAll } from '#media/codec/g711.ts'
import { RtpHeader } from '#media/rtp/header.ts'
import type { Playout } from '#media/jitter/playout.ts'

/** Something like a voice: a glottal pulse train of changing pitch through two formants, in syllables. */
export function voiceLike(ms: number, rateHz = 8000): Int16Array {
  let phase = 0
  return Int16Array.from({ length: (ms * rateHz) / 1000 }, (_, i) => {
    const t = i / rateHz
    const pitch = 120 + 10 * Math.sin(2 * Math.PI * 0.7 * t)
    phase += pitch / rateHz
    const syllable = 0.55 + 0.45 * Math.sin(2 * Math.PI * 2.1 * t)
    let sum = 0
    for (let k = 1; k <= 20; k++) {
      const hz = k * pitch
      const formants = Math.exp(-(((hz - 600) / 300) ** 2)) + 0.5 * Math.exp(-(((hz - 1500) / 350) ** 2)) + 0.05
      sum += formants * Math.sin(2 * Math.PI * k * phase)
    }
    return Math.round(2500 * syllable * sum)
  })
}

/** One packet on its way: its number in the stream, and when it arrives. */
export interface Sent {
  n: number
  at: number
}

/** Sends packets of PCMA to a playout at their arrival, and pulls 20 ms every 20 ms. */
export function playThrough(playout: Playout, pcm: Int16Array, packets: readonly Sent[], ms: number): Int16Array {
  const header = new RtpHeader()
  const arriving = packets.toSorted((a, b) => a.at - b.at)
  const out = new Int16Array(ms * 8)
  let next = 0
  for (let now = 0; now < ms; now += 20) {
    for (let each = arriving[next]; each !== undefined && each.at <= now; each = arriving[++next]) {
      header.ssrc = 7
      header.sequence = (65_500 + each.n) & 0xffff
      header.timestamp = (4_294_960_000 + each.n * 160) >>> 0
      header.arrivedAt = each.at
      playout.audio(header, 'PCMA', encodeAll('PCMA', pcm.subarray(each.n * 160, each.n * 160 + 160)))
    }
    playout.pull(out.subarray(now * 8, now * 8 + 160))
  }
  return out
}

/** The same numbers in [0, limit) for the same seed. */
export function seeded(seed: number): { below(limit: number): number } {
  let state = seed
  return {
    below(limit) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((state / 2 ** 32) * limit)
    },
  }
}
