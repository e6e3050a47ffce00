import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Playout } from '#media/jitter/playout.ts'
import { playThrough, seeded, type Sent } from '#media/jitter/test-stream.ts'
import { babble } from '#media/listen/babble.ts'
import { intelligibility } from '#media/listen/intelligibility.ts'

const seconds = 20
const frame = 160
/** Uniform, which is 30 ms of interarrival jitter (RFC 3550 §6.4.1). */
const mostLateMs = 90

/** Every packet of the speech, when it arrives, and the numbers of one in twenty that do not. */
function badNetwork(seed: number): { arriving: Sent[]; lost: Set<number> } {
  const random = seeded(seed)
  const arriving: Sent[] = []
  const lost = new Set<number>()
  for (let n = 0; n < seconds * 50; n++) {
    const at = n * 20 + random.below(mostLateMs)
    if (random.below(100) < 5) lost.add(n)
    else arriving.push({ n, at })
  }
  return { arriving, lost }
}

/** Each packet in its place, silence where one was lost; or each when it came. */
function unconcealed(pcm: Int16Array, arriving: readonly Sent[], beatOf: (packet: Sent) => number): Int16Array {
  const out = new Int16Array(pcm.length)
  for (const packet of arriving) {
    const at = beatOf(packet) * frame
    if (at + frame <= out.length) out.set(pcm.subarray(packet.n * frame, (packet.n + 1) * frame), at)
  }
  return out
}

test('with 5 % lost, 30 ms of jitter and reordering speech is understood, without concealment less, and without a jitter buffer not', () => {
  for (const seed of [1, 2]) {
    const pcm = babble(seed, seconds * 1000)
    const { arriving, lost } = badNetwork(seed)
    const playout = new Playout(8000)
    const heard = playThrough(playout, pcm, arriving, seconds * 1000)
    const concealed = intelligibility(pcm, heard)
    const silent = intelligibility(
      pcm,
      unconcealed(pcm, arriving, ({ n }) => n),
    )
    const asItCame = intelligibility(
      pcm,
      unconcealed(pcm, arriving, ({ at }) => Math.ceil(at / 20)),
    )
    const said = JSON.stringify({ seed, lost: lost.size, concealed, silent, asItCame, figures: playout.figures })
    const isGood = ({ mean }: { mean: number }): boolean => mean >= 0.965
    assert.ok(isGood(concealed) && concealed.worst > silent.worst, said)
    assert.ok(!isGood(silent) && !isGood(asItCame) && asItCame.mean < 0.75, said)
    assert.ok(playout.concealedMs < lost.size * 20 * 1.25, said)
  }
})
