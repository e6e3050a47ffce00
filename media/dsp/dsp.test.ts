import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ComfortNoise } from '#media/dsp/comfort-noise.ts'
import { Concealer } from '#media/dsp/concealer.ts'
import { Doubler, Halver } from '#media/dsp/half-band.ts'
import { shorten } from '#media/dsp/shorten.ts'

const sine = (hz: number, rateHz: number, samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => Math.round(8000 * Math.sin((2 * Math.PI * hz * i) / rateHz)))

const rms = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length)

test('halving passes the telephone band and takes out what would fold into it', () => {
  for (const [hz, least, most] of [
    [300, 0.97, 1.03],
    [3000, 0.95, 1.05],
    [5000, 0, 0.01],
    [7000, 0, 0.01],
  ] as const) {
    const out = new Int16Array(1600)
    new Halver().run(sine(hz, 16_000, 3200), out)
    const gain = rms(out.subarray(200)) / (8000 / Math.SQRT2)
    assert.ok(gain >= least && gain <= most, `${hz} Hz: gain ${gain}`)
  }
})

test('doubling makes a clean tone of a tone', () => {
  for (const hz of [300, 1000, 3000]) {
    const out = new Int16Array(3200)
    new Doubler().run(sine(hz, 8000, 1600), out)
    const wanted = sine(hz, 16_000, 3200)
    const tail = out.subarray(1000)
    const best = Math.max(
      ...Array.from({ length: 40 }, (_, lag) => {
        const error = rms(tail.map((sample, i) => sample - (wanted[1000 + i - lag] ?? 0)))
        return 20 * Math.log10(rms(tail) / error)
      }),
    )
    assert.ok(best > 30, `${hz} Hz: ${best} dB`)
  }
})

test('what is concealed goes on where the voice was, fades, and is silent after 60 ms', () => {
  const concealer = new Concealer(8000)
  const pcm = sine(200, 8000, 1600)
  for (let at = 0; at < 1600; at += 160) concealer.good(pcm.slice(at, at + 160))
  const out = new Int16Array(800)
  concealer.conceal(out)
  const clean = sine(200, 8000, 1680).subarray(1600)
  assert.ok(rms(out.subarray(0, 80).map((sample, i) => sample - (clean[i] as number))) < 400)
  assert.ok(rms(out.subarray(240, 320)) < rms(out.subarray(80, 160)))
  assert.ok(out.subarray(490).every((sample) => sample === 0))
})

test('what arrives after a gap takes over without a click', () => {
  const concealer = new Concealer(8000)
  const pcm = sine(200, 8000, 3200)
  for (let at = 0; at < 1600; at += 160) concealer.good(pcm.slice(at, at + 160))
  const out = new Int16Array(160)
  concealer.conceal(out)
  const next = sine(200, 8000, 160).map((sample) => -sample)
  concealer.good(next)
  const joined = [...out.subarray(150), ...next.subarray(0, 40)]
  const steps = joined.slice(1).map((sample, i) => Math.abs(sample - (joined[i] as number)))
  assert.ok(Math.max(...steps) < 2500, `a step of ${Math.max(...steps)}`)
})

test('shortening takes out whole periods, and the tone goes on without a break', () => {
  const pcm = sine(400, 8000, 320)
  const left = shorten(pcm, 320, 8000)
  assert.ok(left >= 240 && left <= 300 && (320 - left) % 20 === 0, `${left} samples left`)
  const steps = Array.from({ length: left - 1 }, (_, i) => Math.abs((pcm[i + 1] as number) - (pcm[i] as number)))
  assert.ok(Math.max(...steps) < 3000)
})

test('comfort noise has the level it says, and its colour', () => {
  const white = new ComfortNoise()
  white.describe(Uint8Array.of(40))
  const out = new Int16Array(8000)
  white.fill(out)
  const db = 20 * Math.log10(rms(out) / 32_768)
  assert.ok(Math.abs(db + 40) < 1, `${db} dBov`)
  const low = new ComfortNoise()
  low.describe(Uint8Array.of(40, 127 - 115))
  low.fill(out)
  const coloured = 20 * Math.log10(rms(out) / 32_768)
  const changes = out.subarray(1).reduce((sum, sample, i) => sum + (Math.sign(sample) !== Math.sign(out[i] as number) ? 1 : 0), 0)
  assert.ok(Math.abs(coloured + 40) < 1.5, `${coloured} dBov`)
  assert.ok(changes < 2500, `${changes} changes of sign in a second: not coloured`)
})
