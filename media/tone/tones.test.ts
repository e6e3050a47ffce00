import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TONE_PLANS, tonePlan } from '#media/tone/plan.ts'
import { amplitude, renderTone, toneLoop } from '#media/tone/tones.ts'

/** Amplitude of one frequency in a stretch. */
function partial(pcm: Int16Array, hz: number): number {
  let re = 0
  let im = 0
  for (const [i, sample] of pcm.entries()) {
    re += sample * Math.cos((2 * Math.PI * hz * i) / 8000)
    im += sample * Math.sin((2 * Math.PI * hz * i) / 8000)
  }
  return (2 * Math.hypot(re, im)) / pcm.length
}

test('European ringback is 425 Hz for one second in five, at -13 dBm0', () => {
  const pcm = renderTone('lv', 'ringback')
  assert.equal(pcm.length, 40_000)
  assert.ok(Math.abs(partial(pcm.subarray(800, 7200), 425) / amplitude(-13) - 1) < 0.02)
  assert.ok(pcm.subarray(8000).every((sample) => sample === 0))
})

test('American tones sound two frequencies together', () => {
  const pcm = renderTone('US', 'busy').subarray(400, 3600)
  for (const hz of [480, 620]) assert.ok(Math.abs(partial(pcm, hz) / amplitude(-13) - 1) < 0.05)
})

test('British ringback is a double ring', () => {
  const pcm = renderTone('gb', 'ringback')
  const sounding = [200, 500, 800, 1500].map((ms) => pcm.subarray(ms * 8, ms * 8 + 80).some((sample) => sample !== 0))
  assert.deepEqual(sounding, [true, false, true, false])
})

test('continuous tones have no seam where they repeat', () => {
  for (const country of Object.keys(TONE_PLANS)) {
    const pcm = renderTone(country, 'dial')
    const largest = Math.max(...pcm.map((sample, i) => Math.abs(sample - (pcm[i - 1] ?? sample))))
    assert.ok(Math.abs((pcm[0] ?? 0) - (pcm.at(-1) ?? 0)) <= largest, country)
  }
})

test('every plan has every tone, with bursts of whole milliseconds and telephone frequencies', () => {
  for (const plan of Object.values(TONE_PLANS)) {
    for (const cadence of Object.values(plan)) {
      assert.ok(cadence.length > 0)
      for (const burst of cadence)
        assert.ok(burst.ms > 0 && Number.isInteger(burst.ms) && burst.frequencies.every((hz) => hz > 300 && hz < 3400))
    }
  }
})

test('a country without a plan of its own gets the European one', () => {
  assert.equal(tonePlan('xx'), TONE_PLANS.eu)
  assert.equal(tonePlan('constructor'), TONE_PLANS.eu)
})

test('a tone comes as G.711 octets for the player', () => {
  assert.equal(toneLoop('eu', 'busy', 'PCMA').length, 8000)
})
