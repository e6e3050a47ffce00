import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { decodeDigits, DtmfDetector } from '#media/dtmf/dtmf-detector.ts'
import { KEYPAD, renderDigits } from '#media/dtmf/keypad.ts'
import { renderCadence, renderTone } from '#media/tone/tones.ts'

const digitsIn = (pcm: Int16Array): string =>
  decodeDigits(pcm)
    .map(({ digit }) => digit)
    .join('')

/** Repeatable noise of an amplitude. */
function noise(length: number, amplitude: number, seed = 1): Int16Array {
  let state = seed
  return Int16Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return ((state >> 16) / 32_768) * amplitude
  })
}

function sum(...parts: Int16Array[]): Int16Array {
  return Int16Array.from({ length: Math.max(...parts.map((part) => part.length)) }, (_, i) =>
    parts.reduce((all, part) => all + (part[i] ?? 0), 0),
  )
}

/** Something like a vowel: a glottal pulse train with formants, its pitch gliding. */
function vowel(seconds: number, pitch: number, formants: readonly number[]): Int16Array {
  let phase = 0
  return Int16Array.from({ length: seconds * 8000 }, (_, i) => {
    const hz = pitch * (1 + 0.1 * Math.sin(i / 4000))
    phase += (2 * Math.PI * hz) / 8000
    let value = 0
    for (let harmonic = 1; harmonic * hz < 3400; harmonic++) {
      const gain = formants.reduce((all, formant) => all + 1 / (1 + ((harmonic * hz - formant) / 90) ** 2), 0.02)
      value += gain * Math.sin(harmonic * phase)
    }
    return value * 5000
  })
}

test('every key is heard once, at its length', () => {
  const heard = decodeDigits(renderDigits(KEYPAD, { toneMs: 100, gapMs: 100 }))
  assert.equal(heard.map(({ digit }) => digit).join(''), KEYPAD)
  for (const [i, { fromMs, ms }] of heard.entries()) {
    assert.ok(Math.abs(fromMs - i * 200) <= 15, `${fromMs}`)
    assert.ok(Math.abs(ms - 100) <= 30, `${ms}`)
  }
})

test('the same key twice is two digits, short tones of 50 ms included', () => {
  assert.equal(digitsIn(renderDigits('1122##', { toneMs: 50, gapMs: 50 })), '1122##')
})

test('digits through either law, soft, and over noise are heard', () => {
  for (const law of ['PCMA', 'PCMU'] as const) {
    const soft = renderDigits('159*0#', { levelDbm0: -25 })
    assert.equal(digitsIn(decodeAll(law, encodeAll(law, soft))), '159*0#')
  }
  const loud = renderDigits('0123456789')
  assert.equal(digitsIn(sum(loud, noise(loud.length, 1500))), '0123456789')
})

test('pieces of any length give the same as the whole', () => {
  const pcm = renderDigits('2580')
  const detector = new DtmfDetector()
  let digits = ''
  for (let at = 0; at < pcm.length; at += 37) for (const { digit } of detector.hear(pcm.subarray(at, at + 37))) digits += digit
  assert.equal(digits + (detector.finish()?.digit ?? ''), '2580')
})

test('call-progress tones, single tones and noise are no digits', () => {
  for (const tone of ['dial', 'busy', 'ringback', 'beep'] as const)
    for (const country of ['eu', 'us', 'uk']) assert.equal(digitsIn(renderTone(country, tone)), '')
  for (const hz of [697, 941, 1209, 1633]) assert.equal(digitsIn(renderCadence([{ frequencies: [hz], ms: 500 }])), '')
  assert.equal(digitsIn(noise(80_000, 12_000)), '')
})

test('vowels are no digits, whatever their pitch and formants', () => {
  for (const pitch of [90, 120, 175, 220, 300]) {
    for (const formants of [
      [730, 1090],
      [270, 2290],
      [570, 840],
      [700, 1220, 2600],
      [850, 1350],
      [940, 1480],
    ]) {
      assert.equal(digitsIn(vowel(2, pitch, formants)), '', `${pitch} ${formants.join()}`)
    }
  }
})

test('tones too far from the keypad, or too unlike in level, are no digits', () => {
  assert.equal(digitsIn(renderCadence([{ frequencies: [697 * 1.035, 1209 * 1.035], ms: 300 }])), '')
  const unlike = sum(renderCadence([{ frequencies: [697], ms: 300 }], -25), renderCadence([{ frequencies: [1209], ms: 300 }], -6))
  assert.equal(digitsIn(unlike), '')
})

test('tones a little off the keypad are digits (ITU-T Q.24: 1.5 %)', () => {
  for (const off of [0.985, 1.015]) assert.equal(digitsIn(renderCadence([{ frequencies: [770 * off, 1336 * off], ms: 100 }])), '5')
})
