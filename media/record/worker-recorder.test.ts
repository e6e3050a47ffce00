import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { encodeAll } from '#media/codec/g711.ts'
import { energy, goertzel, goertzelCoefficient } from '#media/dtmf/goertzel.ts'
import { decodeRecording } from '#media/record/decode-recording.ts'
import type { FromWorker, ToWorker } from '#media/record/messages.ts'
import type { Recorded, Recording, RecordingSpec } from '#media/record/recorder.ts'
import { type RecorderThread, type ThreadEvents, startWorkerThread } from '#media/record/recorder-thread.ts'
import { WorkerRecorder } from '#media/record/worker-recorder.ts'
import { renderCadence } from '#media/tone/tones.ts'

const TONE = encodeAll('PCMA', renderCadence([{ frequencies: [700], ms: 1000 }]))

/** Calls that talk for so long, the heartbeat beside them. */
function talk(recorder: WorkerRecorder, recordings: Recording | readonly Recording[], fromMs: number, toMs: number): void {
  for (let at = fromMs; at < toMs; at += 20) {
    const place = (at % 1000) * 8
    for (const recording of [recordings].flat())
      recording.frame({ speaker: 0, at, timestamp: at * 8, codec: 'PCMA', payload: TONE.subarray(place, place + 160) })
    recorder.tick(at)
  }
}

/** A recording whose end can be awaited. */
function opened(recorder: WorkerRecorder, spec: Partial<RecordingSpec> & { file: string }) {
  const failures: string[] = []
  let recording: Recording | null = null
  const recorded = new Promise<Recorded>((onRecorded) => {
    recording = recorder.open({ format: 'opus', startedAt: 0, ...spec }, { onRecorded, onFailed: (_, cause) => failures.push(cause) })
  })
  assert.ok(recording !== null)
  return { recording: recording as Recording, recorded, failures }
}

async function inFolder(scene: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-record-'))
  try {
    await scene(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Whether the tone sounds throughout, looked at in stretches of 100 ms. */
function hearsTone(pcm: Int16Array): boolean {
  for (let at = 0; at + 800 <= pcm.length; at += 800) {
    const part = pcm.subarray(at, at + 800)
    const all = energy(part)
    if (all < 800 * 500 ** 2 || goertzel(part, goertzelCoefficient(700)) < all * 0.7) return false
  }
  return true
}

/** A thread that only notes what it is told. */
class NotingThread implements RecorderThread {
  readonly messages: ToWorker[] = []
  readonly events: ThreadEvents
  constructor(events: ThreadEvents) {
    this.events = events
  }
  post(message: ToWorker): void {
    this.messages.push(message)
  }
  hold(): void {}
  end(): Promise<void> {
    return Promise.resolve()
  }
  tell(message: FromWorker): void {
    this.events.told(message)
  }
  kinds(): string {
    return this.messages.map(({ kind }) => kind).join(' ')
  }
}

function noting(): { recorder: WorkerRecorder; threads: NotingThread[] } {
  const threads: NotingThread[] = []
  const recorder = new WorkerRecorder(silentLog, (events) => {
    const thread = new NotingThread(events)
    threads.push(thread)
    return thread
  })
  return { recorder, threads }
}

test('two recordings at once go through the worker to their files, and a tone is heard in each', async () => {
  await inFolder(async (folder) => {
    const recorder = new WorkerRecorder(silentLog)
    const one = opened(recorder, { file: join(folder, 'deep/er/one.opus') })
    const other = opened(recorder, { file: join(folder, 'other.wav'), format: 'wav' })
    talk(recorder, [one.recording, other.recording], 0, 2000)
    other.recording.stop(2000)
    talk(recorder, [one.recording, other.recording], 2000, 3000)
    one.recording.stop(3000)
    other.recording.stop(9000)
    const [first, second] = [await one.recorded, await other.recorded]
    assert.deepEqual([first.ms, second.ms], [3000, 2000])
    const bytes = await readFile(first.file)
    assert.equal(bytes.length, first.bytes)
    assert.ok(hearsTone((await decodeRecording(bytes)).subarray(0, 20_000)))
    assert.deepEqual(recorder.load, { open: 0, queued: 0, shed: 0 })
    await recorder.close(3000)
  })
})

test('a file that cannot be opened is told, and the recording still ends', async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), '')
    const recorder = new WorkerRecorder(silentLog)
    const { recording, recorded, failures } = opened(recorder, { file: join(folder, 'file', 'call.opus') })
    talk(recorder, recording, 0, 500)
    recording.stop(500)
    assert.equal((await recorded).bytes, 0)
    assert.match(failures.join(), /ENOTDIR|EEXIST/)
    await recorder.close(500)
  })
})

test('when the worker dies its recordings go on behind what is whole, with a gap', async () => {
  await inFolder(async (folder) => {
    const threads: RecorderThread[] = []
    const recorder = new WorkerRecorder(silentLog, (events) => {
      // Told to end behind the recorder's back, as a thread that dies.
      const thread = startWorkerThread({ told: (message) => events.told(message), ended: () => events.ended('died') })
      threads.push(thread)
      return thread
    })
    const file = join(folder, 'call.opus')
    const { recording, recorded } = opened(recorder, { file })
    talk(recorder, recording, 0, 6000)
    while (recorder.load.queued > 0) await new Promise(setImmediate)
    await threads[0]?.end()
    talk(recorder, recording, 6000, 9000)
    recording.stop(9000)
    const { gaps, ms } = await recorded
    assert.equal(threads.length, 2)
    assert.deepEqual([gaps.length, gaps[0]?.why, ms], [1, 'the recorder was restarted', 9000])
    const pcm = await decodeRecording(await readFile(file))
    assert.ok(Math.abs(pcm.length - 72_000) < 160 && hearsTone(pcm.subarray(0, 36_000)) && hearsTone(pcm.subarray(56_000)))
    await recorder.close(9000)
  })
})

test('closing the recorder ends every recording', async () => {
  await inFolder(async (folder) => {
    const recorder = new WorkerRecorder(silentLog)
    const { recording, recorded } = opened(recorder, { file: join(folder, 'call.opus') })
    talk(recorder, recording, 0, 1000)
    await recorder.close(1000)
    assert.equal((await recorded).ms, 1000)
  })
})

test('frames are handed over together, every quarter of a second, and before any command', () => {
  const { recorder, threads } = noting()
  const { recording } = opened(recorder, { file: 'x' })
  talk(recorder, recording, 0, 1000)
  recording.pause(1000, 'card')
  recording.frame({ speaker: 0, at: 1010, timestamp: 0, codec: 'PCMA', payload: TONE.subarray(0, 160) })
  recording.resume(1200)
  recording.stop(1300)
  assert.equal(threads[0]?.kinds(), 'open frames frames frames frames pause resume stop')
})

test('a worker that is too slow is not buried: frames are shed, counted, and the stretch is told', () => {
  const { recorder, threads } = noting()
  const { recording } = opened(recorder, { file: 'x' })
  talk(recorder, recording, 0, 60_000)
  const [thread] = threads
  assert.ok(thread !== undefined)
  assert.equal(recorder.load.queued, 64)
  assert.ok(recorder.load.shed > 1000)
  for (const message of thread.messages.slice()) if (message.kind === 'frames') thread.tell({ kind: 'done', buffer: message.buffer })
  const shed = recorder.load.shed
  talk(recorder, recording, 60_000, 61_000)
  assert.equal(recorder.load.shed, shed)
  const lost = thread.messages.find((message) => message.kind === 'lost')
  assert.ok(lost !== undefined && lost.to === 60_000 && lost.from > 15_000 && lost.from < 17_000, JSON.stringify(lost))
})

test('a recording stops by itself at its longest', () => {
  const { recorder, threads } = noting()
  const { recording } = opened(recorder, { file: 'x', maxMs: 2000 })
  talk(recorder, recording, 0, 5000)
  const stops = threads[0]?.messages.filter((message) => message.kind === 'stop')
  assert.deepEqual(stops, [{ kind: 'stop', recording: 1, at: 2000 }])
})

test('a recording outlives the longest call, and stops by itself when nobody stops it', () => {
  const { recorder, threads } = noting()
  opened(recorder, { file: 'x' })
  const stops = (): number => threads[0]?.messages.filter((message) => message.kind === 'stop').length ?? 0
  const hour = 3_600_000
  recorder.tick(24 * hour + 1000)
  assert.equal(stops(), 0)
  recorder.tick(26 * hour)
  assert.equal(stops(), 1)
})

test('a worker that keeps dying is started again only every five seconds, and a pause outlives it', () => {
  const { recorder, threads } = noting()
  const { recording } = opened(recorder, { file: 'x' })
  recording.pause(100, 'card')
  threads[0]?.events.ended('died')
  for (let now = 0; now < 4900; now += 20) recorder.tick(now)
  assert.equal(threads.length, 1)
  recorder.tick(5000)
  assert.equal(threads.length, 2)
  assert.equal(threads[1]?.kinds().slice(0, 10), 'open pause')
  const [open] = threads[1]?.messages ?? []
  assert.ok(open?.kind === 'open' && open.spec.resume)
})
