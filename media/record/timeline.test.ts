import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeAll } from '#media/codec/g711.ts'
import { Mixer } from '#media/record/mixer.ts'
import type { VoiceFrame } from '#media/record/recorder.ts'
import { Timeline } from '#media/record/timeline.ts'
import { TurnDetector } from '#media/record/turns.ts'

/** A frame whose samples are all one value, so that its place shows. */
function flat(speaker: 0 | 1, at: number, timestamp: number, value: number): VoiceFrame {
  return { speaker, at, timestamp: timestamp >>> 0, codec: 'PCMA', payload: encodeAll('PCMA', new Int16Array(160).fill(value)) }
}

/** Runs frames through a timeline; gives what was mixed, as one array. */
function mixed(frames: readonly VoiceFrame[], endMs: number, prepare: (timeline: Timeline) => void = () => undefined): Int16Array {
  const out: number[] = []
  const timeline = new Timeline((block) => {
    assert.equal(block.fromMs * 8, out.length)
    out.push(...block.mixed)
  })
  prepare(timeline)
  for (const frame of frames) timeline.frame(frame)
  timeline.finish(endMs)
  return Int16Array.from(out)
}

/** Where values come near to one: first and last millisecond. */
function stretch(pcm: Int16Array, value: number): [from: number, to: number] {
  const near = (sample: number): boolean => Math.abs(sample - value) < 100
  return [pcm.findIndex(near) / 8, (pcm.findLastIndex(near) + 1) / 8]
}

const steady = (count: number, make: (i: number) => VoiceFrame): VoiceFrame[] => Array.from({ length: count }, (_, i) => make(i))

test('frames lie where they arrived, with silence before, between and after', () => {
  const pcm = mixed([flat(0, 100, 0, 5000), flat(0, 120, 160, 5000), flat(1, 300, 9000, -3000)], 1000)
  assert.equal(pcm.length, 8000)
  assert.deepEqual(stretch(pcm, 5000), [100, 140])
  assert.deepEqual(stretch(pcm, -3000), [300, 320])
})

test('jitter is not heard: the timestamps place the frames', () => {
  const jitter = [0, 15, 3, 40, 22, 1, 60, 35, 18, 5]
  const frames = steady(50, (i) => flat(0, 100 + i * 20 + (jitter[i % 10] ?? 0), 7000 + i * 160, 4000))
  const pcm = mixed(
    frames.toSorted((a, b) => a.at - b.at),
    2000,
  )
  assert.deepEqual(stretch(pcm, 4000), [100, 1100])
  assert.ok(pcm.subarray(800, 8800).every((sample) => Math.abs(sample - 4000) < 100))
})

test('reordered frames fall into their places', () => {
  const frames = [flat(0, 100, 0, 1000), flat(0, 141, 320, 3000), flat(0, 142, 160, 2000)]
  const pcm = mixed(frames, 500)
  assert.deepEqual(
    [stretch(pcm, 1000), stretch(pcm, 2000), stretch(pcm, 3000)],
    [
      [100, 120],
      [120, 140],
      [140, 160],
    ],
  )
})

test('timestamps may wrap around', () => {
  const pcm = mixed(
    steady(10, (i) => flat(0, i * 20, 0xffff_ff00 + i * 160, 4000)),
    400,
  )
  assert.deepEqual(stretch(pcm, 4000), [0, 200])
})

test('a burst delayed beyond the wait is left out, and what follows is in its place', () => {
  const before = steady(10, (i) => flat(0, i * 20, i * 160, 4000))
  const burst = steady(25, (i) => flat(0, 700, (10 + i) * 160, 6000))
  const after = steady(10, (i) => flat(0, 700 + i * 20, (35 + i) * 160, 2000))
  const pcm = mixed([...before, ...burst, ...after], 1200)
  assert.deepEqual(stretch(pcm, 2000), [700, 900])
  assert.ok(pcm.subarray(200 * 8, 480 * 8).every((sample) => sample === 0))
  assert.deepEqual(stretch(pcm, 6000), [500, 700])
})

test('a source that begins other timestamps, or stops them in a pause, goes on where it is heard', () => {
  const first = steady(10, (i) => flat(0, i * 20, i * 160, 4000))
  const other = steady(10, (i) => flat(0, 300 + i * 20, 900_000 + i * 160, 2000))
  assert.deepEqual(stretch(mixed([...first, ...other], 700), 2000), [300, 500])
  const paused = steady(30, (i) => flat(0, 5000 + i * 20, (10 + i) * 160, 2000))
  const [from, to] = stretch(mixed([...first, ...paused], 6000), 2000)
  assert.ok(from <= 5080 && to >= 5600 && to <= 5620, `${from} ${to}`)
})

test('clocks that run apart are followed: an hour of 200 ppm stays in step', () => {
  const blocks: number[] = []
  const timeline = new Timeline((block) => {
    if (block.voices[0].some((sample) => sample > 3000)) blocks.push(block.fromMs)
  })
  let last = 0
  for (let i = 0; i < 180_000; i++) {
    const at = i * 20 * 1.0002
    last = at
    timeline.frame(flat(0, at, i * 160, i % 50 === 0 ? 8000 : 0))
  }
  timeline.finish(last + 20)
  const off = (fromMs: number): number => Math.abs(fromMs - Math.round(fromMs / 1000.2) * 1000.2)
  assert.ok(blocks.length >= 3600)
  assert.ok(Math.max(...blocks.map(off)) < 60)
})

test('a muted stretch is silence, whatever arrives for it', () => {
  const frames = steady(50, (i) => flat(0, i * 20, i * 160, 4000))
  const pcm = mixed(frames, 1000, (timeline) => {
    timeline.mute(300)
    timeline.unmute(600)
  })
  assert.ok(pcm.subarray(300 * 8, 600 * 8).every((sample) => sample === 0))
  assert.ok(pcm.subarray(0, 300 * 8).every((sample) => sample > 3900))
  assert.ok(pcm.subarray(620 * 8).every((sample) => sample > 3900))
})

test('two voices are summed, and where both are loud the gain gives way instead of clipping', () => {
  const mixer = new Mixer()
  const out = new Int16Array(160)
  mixer.mix(new Int16Array(160).fill(1000), new Int16Array(160).fill(500), out)
  assert.ok(out.every((sample) => sample === 1500))
  const loud = Int16Array.from({ length: 160 }, (_, i) => 30_000 * Math.sin(i / 4))
  for (let i = 0; i < 3; i++) mixer.mix(loud, loud, out)
  const peak = Math.max(...out.map(Math.abs))
  assert.ok(peak > 29_000 && peak <= 30_001, `${peak}`)
  assert.equal(mixer.mix(new Int16Array(160).fill(8), new Int16Array(160).fill(-8), out), true)
})

test('turns say who spoke when, over pauses for breath, noise and a click', () => {
  const detector = new TurnDetector()
  let state = 1
  const noise = (amplitude: number): Int16Array =>
    Int16Array.from({ length: 160 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
      return ((state >> 16) / 32_768) * amplitude
    })
  const speaks = (ms: number): boolean => (ms >= 1000 && ms < 2000) || (ms >= 2200 && ms < 3000) || (ms >= 5000 && ms < 6000)
  for (let ms = 0; ms < 8000; ms += 20) {
    detector.block(0, ms, noise(speaks(ms) ? 6000 : 60))
    detector.block(1, ms, noise(ms === 4000 ? 9000 : ms >= 6500 && ms < 7500 ? 4000 : 100))
  }
  detector.finish()
  const near = (value: number, wanted: number): boolean => Math.abs(value - wanted) <= 60
  assert.deepEqual(
    detector.turns.map(({ speaker }) => speaker),
    [0, 0, 1],
  )
  for (const [i, [from, to]] of [
    [1000, 3000],
    [5000, 6000],
    [6500, 7500],
  ].entries()) {
    const turn = detector.turns[i]
    assert.ok(turn !== undefined && near(turn.fromMs, from ?? 0) && near(turn.toMs, to ?? 0), JSON.stringify(turn))
  }
})
