import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAll, encodeAll } from '#media/codec/g711.ts'
import { renderDigits } from '#media/dtmf/keypad.ts'
import { babble } from '#media/listen/babble.ts'
import { heardTones } from '#media/listen/heard-tones.ts'
import { listen } from '#media/listen/listen.ts'
import { recognise } from '#media/listen/recognise.ts'
import { stretches } from '#media/listen/stretches.ts'
import { renderCadence, renderTone } from '#media/tone/tones.ts'

const LIBRARY = new Map([
  ['day', babble(1, 5000)],
  ['night', babble(2, 6000)],
  ['menu', babble(3, 3500)],
  ['wrong', babble(4, 1200)],
])

const sound = (name: string): Int16Array => LIBRARY.get(name) ?? new Int16Array(0)
const silence = (ms: number): Int16Array => new Int16Array(ms * 8)
const throughMuLaw = (pcm: Int16Array): Int16Array => decodeAll('PCMU', encodeAll('PCMU', pcm))

function join(...parts: Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Packets of 20 ms, those with a number in `lost` left out or replaced by silence. */
function withLoss(pcm: Int16Array, isLost: (packet: number) => boolean, splice: boolean): Int16Array {
  const packets = Array.from({ length: Math.floor(pcm.length / 160) }, (_, i) => pcm.subarray(i * 160, (i + 1) * 160))
  return join(...packets.flatMap((packet, i) => (isLost(i) ? (splice ? [] : [silence(20)]) : [packet])))
}

const near = (value: number, wanted: number, tolerance: number): boolean => Math.abs(value - wanted) <= tolerance

test('prompts are heard in order, from when to when, and surely', () => {
  const heard = recognise(throughMuLaw(join(silence(333), sound('day'), silence(500), sound('menu'), silence(90), sound('wrong'))), LIBRARY)
  assert.deepEqual(
    heard.map(({ prompt }) => prompt),
    ['day', 'menu', 'wrong'],
  )
  for (const [i, [from, to]] of (
    [
      [333, 5333],
      [5833, 9333],
      [9423, 10_623],
    ] as const
  ).entries()) {
    const one = heard[i]
    assert.ok(one !== undefined && near(one.fromMs - one.promptFromMs, from, 15) && near(one.toMs, to, 120), JSON.stringify(one))
    assert.ok(one.sureness > 0.9)
  }
})

test('another text by the same voice is not taken for a prompt', () => {
  for (const seed of [11, 12, 13, 14]) assert.deepEqual(recognise(babble(seed, 8000), LIBRARY), [])
})

test('silence, tones, digits and noise are no prompts', () => {
  assert.deepEqual(recognise(silence(3000), LIBRARY), [])
  assert.deepEqual(recognise(join(renderTone('eu', 'ringback'), renderDigits('123456')), LIBRARY), [])
  let state = 1
  const noise = Int16Array.from({ length: 40_000 }, () => (state = (Math.imul(state, 1_103_515_245) + 12_345) | 0) >> 19)
  assert.deepEqual(recognise(noise, LIBRARY), [])
})

test('level does not matter', () => {
  for (const gain of [0.1, 3]) {
    const [one] = recognise(throughMuLaw(sound('night').map((sample) => Math.max(-32_768, Math.min(32_767, sample * gain)))), LIBRARY)
    assert.ok(one?.prompt === 'night' && one.sureness > 0.85, JSON.stringify(one))
  }
})

test('a prompt cut short, or heard from its middle, is told with the part that was heard', () => {
  const [cut, ...more] = recognise(join(silence(200), sound('day').subarray(0, 2000 * 8), silence(1000)), LIBRARY)
  assert.ok(cut?.prompt === 'day' && near(cut.promptToMs, 2000, 150) && more.length === 0, JSON.stringify(cut))
  const [late] = recognise(sound('day').subarray(2000 * 8), LIBRARY)
  assert.ok(late?.prompt === 'day' && near(late.promptFromMs, 2000, 60) && near(late.fromMs, 0, 60), JSON.stringify(late))
})

test('lost packets, as silence or as a splice, do not matter', () => {
  for (const splice of [false, true]) {
    const heard = recognise(
      withLoss(sound('night'), (packet) => packet % 37 === 20, splice),
      LIBRARY,
    )
    assert.deepEqual(
      heard.map(({ prompt }) => prompt),
      ['night'],
    )
    assert.ok((heard[0]?.sureness ?? 0) > 0.6, JSON.stringify(heard))
  }
})

test('a prompt that was held up is one, and one that began anew after the same silence is two', () => {
  const day = sound('day')
  const [begin, rest] = [day.subarray(0, 2000 * 8), day.subarray(2000 * 8)]
  const [one, ...more] = recognise(join(begin, silence(700), rest), LIBRARY)
  assert.ok(one?.prompt === 'day' && more.length === 0, JSON.stringify([one, ...more]))
  assert.ok(near(one.toMs - one.fromMs, day.length / 8 + 700, 250), JSON.stringify(one))
  assert.equal(recognise(join(begin, silence(700), day), LIBRARY).length, 2)
})

test('a prompt repeated is heard each time', () => {
  const heard = recognise(join(sound('menu'), silence(1000), sound('menu')), LIBRARY)
  assert.deepEqual(
    heard.map(({ prompt }) => prompt),
    ['menu', 'menu'],
  )
})

test('an empty library, empty prompts and empty audio give nothing', () => {
  assert.deepEqual(recognise(sound('day'), new Map()), [])
  assert.deepEqual(recognise(sound('day'), new Map([['empty', new Int16Array(0)]])), [])
  assert.deepEqual(recognise(new Int16Array(0), LIBRARY), [])
})

test('tones are told with their frequencies, times and level', () => {
  const pcm = throughMuLaw(
    join(
      silence(500),
      renderCadence([{ frequencies: [425], ms: 1000 }], -13),
      silence(500),
      renderCadence([{ frequencies: [440, 480], ms: 800 }]),
    ),
  )
  const [one, two, ...more] = heardTones(pcm)
  assert.equal(more.length, 0)
  assert.ok(one !== undefined && two !== undefined)
  assert.ok(one.frequencies.length === 1 && near(one.frequencies[0] ?? 0, 425, 3) && near(one.levelDbm0, -13, 0.5), JSON.stringify(one))
  assert.ok(near(one.fromMs, 500, 35) && near(one.toMs, 1500, 35))
  assert.ok(near(two.fromMs, 2000, 35) && near(two.levelDbm0, -10, 0.6), JSON.stringify(two))
})

test('two frequencies apart are told apart; speech has no lasting tone', () => {
  const [busy] = heardTones(renderTone('us', 'busy'))
  assert.ok(
    busy?.frequencies.length === 2 && near(busy.frequencies[0] ?? 0, 480, 4) && near(busy.frequencies[1] ?? 0, 620, 4),
    JSON.stringify(busy),
  )
  assert.deepEqual(heardTones(babble(7, 10_000)), [])
})

test('sound and silence are told apart, over short pauses and clicks', () => {
  const click = silence(1000).fill(9000, 4000, 4040)
  const found = stretches(join(silence(1000), babble(5, 2000), click, silence(500)))
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['silence', 'sound', 'silence'],
  )
  assert.ok(near(found[1]?.fromMs ?? 0, 1000, 200) && near(found[1]?.toMs ?? 0, 3000, 200))
  assert.ok(found[1]?.levelDb !== undefined && found[1].levelDb > -35)
})

test('a whole call is told in order, each thing once', () => {
  const call = join(
    silence(400),
    renderTone('eu', 'ringback').subarray(0, 16_000),
    sound('day'),
    silence(600),
    renderDigits('42', { toneMs: 150, gapMs: 100 }),
    silence(500),
    babble(5, 2000),
    silence(400),
  )
  const parts = listen(throughMuLaw(call), LIBRARY)
  assert.deepEqual(
    parts.map((part) => (part.kind === 'prompt' ? part.prompt : part.kind === 'digit' ? part.digit : part.kind)),
    ['silence', 'tone', 'silence', 'day', 'silence', '4', '2', 'silence', 'sound', 'silence'],
  )
})
