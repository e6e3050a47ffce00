import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeAll } from '#media/codec/g711.ts'
import { energy, goertzel, goertzelCoefficient } from '#media/dtmf/goertzel.ts'
import { decodeWav } from '#media/file/decode-wav.ts'
import { decodeRecording } from '#media/record/decode-recording.ts'
import { MemoryDisk } from '#media/record/memory-disk.ts'
import { measureOggOpus } from '#media/record/ogg-opus.ts'
import { LAST_PAGE, oggPages } from '#media/record/ogg-page.ts'
import { opusEncoder } from '#media/record/opus-encoder.ts'
import type { Recorded } from '#media/record/recorder.ts'
import { RecordingFile } from '#media/record/recording-file.ts'
import { readSidecar } from '#media/record/sidecar.ts'
import { renderCadence } from '#media/tone/tones.ts'

const FILE = 'call.opus'

/** A minute of one tone, cut into frames. */
const tone = (hz: number): Uint8Array => encodeAll('PCMU', renderCadence([{ frequencies: [hz], ms: 60_000 }]))
const LOW = tone(500)
const HIGH = tone(1500)

class Scene {
  readonly disk = new MemoryDisk()
  readonly failures: string[] = []
  recording: RecordingFile | null = null

  async open(resume = false, format: 'opus' | 'wav' = 'opus'): Promise<RecordingFile> {
    const encoder = await opusEncoder()
    const spec = { file: FILE, format, resume }
    this.recording = new RecordingFile(spec, { disk: this.disk, encoder, onFailed: (cause) => this.failures.push(cause) })
    return this.recording
  }

  /** Both speakers send their tones for so long, a frame each 20 ms; null: that one is silent. */
  talk(fromMs: number, toMs: number, voices: readonly [Uint8Array | null, Uint8Array | null] = [LOW, null]): void {
    for (let at = fromMs; at < toMs; at += 20) {
      for (const speaker of [0, 1] as const) {
        const payload = voices[speaker]?.subarray((at % 59_000) * 8, (at % 59_000) * 8 + 160)
        if (payload !== undefined) this.recording?.frame({ speaker, at, timestamp: at * 8, codec: 'PCMU', payload })
      }
      this.recording?.advance(at)
    }
  }
}

/** Whether a tone is in the audio over so many milliseconds. */
function hears(pcm: Int16Array, hz: number, fromMs: number, toMs: number): boolean {
  const part = pcm.subarray(fromMs * 8, toMs * 8)
  const all = energy(part)
  return all > part.length * 100 ** 2 && goertzel(part, goertzelCoefficient(hz)) > all * 0.3
}

const quietIn = (pcm: Int16Array, fromMs: number, toMs: number): boolean =>
  energy(pcm, fromMs * 8, toMs * 8) / ((toMs - fromMs) * 8) < 50 ** 2

async function audio(scene: Scene): Promise<Int16Array> {
  return decodeRecording(scene.disk.bytes(FILE))
}

test('two speakers are heard where they spoke, and the file tells whose turn it was', async () => {
  const scene = new Scene()
  const recording = await scene.open()
  scene.talk(0, 2000)
  scene.talk(2000, 4000, [null, HIGH])
  scene.talk(4000, 6000, [LOW, HIGH])
  const recorded = await recording.stop(7000)
  assert.equal(recorded.ms, 7000)
  assert.equal(recorded.bytes, scene.disk.bytes(FILE).length)
  const pcm = await audio(scene)
  assert.equal(pcm.length, 56_000)
  assert.deepEqual([hears(pcm, 500, 100, 1900), hears(pcm, 1500, 100, 1900)], [true, false])
  assert.deepEqual([hears(pcm, 500, 2100, 3900), hears(pcm, 1500, 2100, 3900)], [false, true])
  assert.deepEqual([hears(pcm, 500, 4100, 5900), hears(pcm, 1500, 4100, 5900)], [true, true])
  assert.ok(quietIn(pcm, 6200, 7000))
  assert.deepEqual(
    recorded.turns.map(({ speaker, fromMs, toMs }) => [speaker, Math.round(fromMs / 100), Math.round(toMs / 100)]),
    [
      [0, 0, 20],
      [1, 20, 60],
      [0, 40, 60],
    ],
  )
  assert.deepEqual(readSidecar(scene.disk.text(`${FILE}.json`)).turns, recorded.turns)
})

test('the file is sound Ogg Opus: headers, increasing positions, an end, at most 100 kB a minute', async () => {
  const scene = new Scene()
  const recording = await scene.open()
  scene.talk(0, 59_000, [LOW, HIGH])
  const { bytes } = await recording.stop(60_000)
  const pages = [...oggPages(scene.disk.bytes(FILE))]
  assert.equal(
    pages.reduce((sum, { length }) => sum + length, 0),
    bytes,
  )
  assert.ok(pages.every((page, i) => i === 0 || page.granule >= (pages[i - 1]?.granule ?? 0)))
  assert.equal(pages.at(-1)?.flags, LAST_PAGE)
  assert.equal(measureOggOpus(scene.disk.bytes(FILE)).samples, 60 * 48_000)
  assert.ok(bytes <= 100_000, `${bytes}`)
})

test('silence costs next to nothing', async () => {
  const scene = new Scene()
  const recording = await scene.open()
  scene.talk(0, 1000)
  const { bytes } = await recording.stop(600_000)
  assert.ok(bytes < 60_000, `${bytes}`)
  assert.equal((await audio(scene)).length, 600_000 * 8)
})

test('what comes after silence has its true level, however long the silence', async () => {
  for (let silence = 200; silence <= 2000; silence += 180) {
    const scene = new Scene()
    const recording = await scene.open()
    scene.talk(0, 1000)
    scene.talk(1000 + silence, 4000 + silence, [HIGH, null])
    await recording.stop(4000 + silence)
    const pcm = await audio(scene)
    for (let ms = 1100 + silence; ms < 3800 + silence; ms += 100) {
      const level = Math.sqrt(energy(pcm, ms * 8, ms * 8 + 800) / 800)
      assert.ok(level > 2900 && level < 4100, `${level} at ${ms} after ${silence} ms of silence`)
    }
  }
})

test('a pause leaves silence and a marked gap, and what was said in it is nowhere', async () => {
  const scene = new Scene()
  const recording = await scene.open()
  scene.talk(0, 2000)
  recording.pause(2000, 'card data')
  scene.talk(2000, 4000, [HIGH, null])
  recording.resume(4000)
  scene.talk(4000, 6000)
  const { gaps } = await recording.stop(6000)
  const pcm = await audio(scene)
  assert.deepEqual(gaps, [{ fromMs: 2000, toMs: 4000, why: 'card data' }])
  assert.ok(quietIn(pcm, 2100, 3950))
  assert.ok(hears(pcm, 500, 4100, 5900))
})

test('at every moment the file plays up to a second before the last frame', async () => {
  const scene = new Scene()
  await scene.open()
  scene.talk(0, 10_000)
  const pcm = await audio(scene)
  assert.ok(pcm.length >= 8_600 * 8, `${pcm.length / 8}`)
  assert.ok(hears(pcm, 500, 100, 8500))
})

test('a file left by a process that died is cut after its last whole page and goes on as a chained stream', async () => {
  const scene = new Scene()
  await scene.open()
  scene.talk(0, 25_000)
  const torn = scene.disk.bytes(FILE)
  const kept = measureOggOpus(torn)
  scene.disk.files.set(FILE, new Uint8Array(Buffer.concat([torn, Buffer.from('OggS torn page')])))
  const recording = await scene.open(true)
  scene.talk(26_000, 30_000, [HIGH, null])
  const recorded = await recording.stop(30_000)
  const bytes = scene.disk.bytes(FILE)
  const pages = [...oggPages(bytes)]
  assert.equal(
    pages.reduce((sum, { length }) => sum + length, 0),
    bytes.length,
  )
  assert.deepEqual(
    pages.map(({ flags }) => flags).filter((flags) => flags !== 0),
    [2, 4, 2, 4],
  )
  const keptMs = kept.samples / 48
  assert.deepEqual(recorded.gaps, [{ fromMs: Math.round(keptMs), toMs: 26_000, why: 'the recorder was restarted' }])
  assert.ok(recorded.turns.length >= 1)
  const pcm = await audio(scene)
  assert.ok(Math.abs(pcm.length / 8 - 30_000) <= 20)
  assert.ok(hears(pcm, 500, 100, 23_000) && hears(pcm, 1500, 26_100, 29_900) && quietIn(pcm, 25_200, 25_900))
})

test('a file that died before its headers were whole begins anew', async () => {
  const scene = new Scene()
  scene.disk.files.set(FILE, new Uint8Array(Buffer.from('OggS')))
  const recording = await scene.open(true)
  scene.talk(0, 2000)
  const { gaps } = await recording.stop(2000)
  assert.deepEqual(gaps, [])
  assert.ok(hears(await audio(scene), 500, 100, 1900))
})

test('when the disk is full the file stays valid, the owner is told once, and it goes on when there is room, in step', async () => {
  const scene = new Scene()
  const recording = await scene.open()
  scene.talk(0, 3000)
  scene.disk.room = scene.disk.bytes(FILE).length + 100
  scene.talk(3000, 12_000)
  const during = scene.disk.bytes(FILE)
  assert.equal(measureOggOpus(during).bytes, during.length)
  assert.deepEqual(scene.failures, ['ENOSPC: no space left on device'])
  scene.disk.room = Number.POSITIVE_INFINITY
  scene.talk(12_000, 20_000, [HIGH, null])
  const { gaps } = await recording.stop(20_000)
  const [gap] = gaps
  assert.ok(
    gap !== undefined && gaps.length === 1 && gap.why.startsWith('ENOSPC') && gap.fromMs < 4200 && gap.toMs >= 12_000 && gap.toMs <= 17_000,
  )
  const pcm = await audio(scene)
  assert.equal(pcm.length, 160_000)
  assert.ok(hears(pcm, 500, 100, 2900) && hears(pcm, 1500, gap.toMs + 100, 19_900))
})

test('when nothing can ever be written, nothing throws and the end is told all the same', async () => {
  const scene = new Scene()
  scene.disk.refusal = 'EACCES: permission denied'
  const recording = await scene.open()
  scene.talk(0, 12_000)
  const recorded: Recorded = await recording.stop(12_000)
  assert.deepEqual([recorded.bytes, recorded.ms, scene.failures.length], [0, 12_000, 1])
  assert.deepEqual(recorded.gaps, [{ fromMs: 0, toMs: 12_000, why: 'EACCES: permission denied' }])
})

test('a folder that can be written to later is taken then', async () => {
  const scene = new Scene()
  scene.disk.refusal = 'EACCES: permission denied'
  const recording = await scene.open()
  scene.talk(0, 2000)
  scene.disk.refusal = null
  scene.talk(2000, 9000)
  const recorded = await recording.stop(9000)
  assert.equal((await audio(scene)).length, 72_000)
  assert.ok(recorded.gaps.length === 1 && hears(await audio(scene), 500, 6000, 8900))
})

test('as WAV every sample is kept, the header is true at every second, and a torn file goes on', async () => {
  const scene = new Scene()
  await scene.open(false, 'wav')
  scene.talk(0, 3000)
  const early = decodeWav(scene.disk.bytes(FILE))
  assert.ok(early.kind === 'sound' && early.ms === 2000)
  scene.disk.files.set(FILE, new Uint8Array(Buffer.concat([scene.disk.bytes(FILE), Uint8Array.of(7)])))
  const recording = await scene.open(true, 'wav')
  scene.talk(3000, 5000, [null, HIGH])
  const recorded = await recording.stop(5000)
  const whole = decodeWav(scene.disk.bytes(FILE))
  assert.ok(whole.kind === 'sound' && whole.ms === 5000)
  assert.ok(hears(whole.pcm, 500, 100, 1900) && hears(whole.pcm, 1500, 3100, 4900))
  assert.deepEqual(recorded.gaps, [{ fromMs: 2000, toMs: 3000, why: 'the recorder was restarted' }])
})
