import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { silentLog } from '#base/log.ts'
import { readSound } from '#media/file/read-sound.ts'
import type { Codec } from '#media/engine.ts'
import { type Intelligibility, intelligibility } from '#media/listen/intelligibility.ts'
import { recognise } from '#media/listen/recognise.ts'
import { openSpeech } from '#media/speech/speech.ts'
import { SpeechError } from '#media/speech/speech-port.ts'
import { generator } from '#test/media/chance.ts'
import type { Passed } from '#test/media/lossy-wire.ts'
import { conferenceNumber, numberOf, pin, TwoOffices } from '#test/media/two-offices.ts'

/** Calls of the first test: set-ups, and pairs of phones. */
const calls = 30
const seed = 1
const keys = '0123456789*#ABCD'
const frame = 160
/** Two seconds in which nothing is said. */
const greeting = new Int16Array(16_000)

/** All sixteen keys in an order of its own. */
function shuffled(own: number): string {
  const chance = generator(own)
  const drawn = [...keys].map((key) => ({ key, at: chance() })).toSorted((a, b) => a.at - b.at)
  return drawn.map(({ key }) => key).join('')
}

/** The wire did what it says: 5 % lost, 30 ms of jitter (RFC 3550 §6.4.1, in the mean), and many packets overtaken by later ones. */
function assertBad(streams: readonly Passed[]): void {
  const sum = (of: (passed: Passed) => number): number => streams.reduce((total, passed) => total + of(passed), 0)
  const sent = sum((passed) => passed.sent)
  const [lost, overtaken] = [sum(({ lost: each }) => each.size) / sent, sum((passed) => passed.overtaken) / sent]
  const moved = sum(({ lateMs }) => lateMs.slice(1).reduce((total, ms, n) => total + Math.abs(ms - (lateMs[n] as number)), 0))
  const jitterMs = moved / (sent - streams.length)
  assert.ok(
    lost > 0.04 && lost < 0.06 && Math.abs(jitterMs - 30) < 3 && overtaken > 0.2,
    `${lost} lost, ${jitterMs} ms, ${overtaken} overtaken`,
  )
}

test('over a wire that loses, delays and reorders every call comes about, and every key arrives once', async () => {
  // In every third line the west has another codec, so that its system makes the digits anew; in the others packets pass as they came.
  const pairs = Array.from({ length: calls }, (_, line): readonly [Codec, Codec] => ['PCMA', line % 3 === 2 ? 'G722' : 'PCMA'])
  const { offices, lines } = await TwoOffices.start(pairs, seed)
  await using _closing = offices
  const sides = [offices.east, offices.west]
  const talking = await Promise.all(lines.map((line) => offices.call(line)))
  // As people do: they greet each other before they press keys. The last calls have only just been joined.
  await Promise.all(lines.flatMap(({ east, west }) => [east.say(greeting), west.say(greeting)]))
  await Promise.all(lines.flatMap(({ east, west }, line) => [east.press(shuffled(line)), west.press(shuffled(calls + line))]))
  // Each system hears each key: of its own phone, and over the wire.
  const all = 2 * calls * keys.length
  await Promise.all(sides.map(({ facts }) => facts.next('digit.pressed', () => facts.of('digit.pressed').length >= all)))
  await Promise.all(
    talking.map(async ({ caller, callee }, line) => {
      const [first, other] = line % 2 === 0 ? [caller, callee] : [callee, caller]
      const ended = other.ended()
      assert.equal((await first.bye()).status, 200)
      await ended
    }),
  )
  const expected = Array.from({ length: 2 * calls }, (_, own) => shuffled(own)).toSorted()
  for (const { facts } of sides) {
    await facts.next('call.ended', () => facts.of('call.ended').length === calls)
    assert.deepEqual([...new Set(facts.of('call.ended').map(({ outcome }) => outcome.kind))], ['answered'])
    const byLeg = Map.groupBy(facts.of('digit.pressed'), ({ leg }) => leg)
    assert.deepEqual([...byLeg.values()].map((presses) => presses.map(({ digit }) => digit).join('')).toSorted(), expected)
  }
  for (const [line, { number, east, west }] of lines.entries()) {
    assert.deepEqual([west.keys, east.keys], [shuffled(line), shuffled(calls + line)], number)
  }
  assertBad(lines.flatMap(({ number }) => [offices.wire.audio(number, 0), offices.wire.audio(number, 1)]))
  // Each sort of message was lost at least once, and made up for.
  const lost = new Set(offices.wire.lostSignalling)
  for (const kind of ['INVITE', '200 INVITE', 'ACK', 'BYE', '200 BYE'])
    assert.ok(lost.has(kind), `${kind} was never lost: ${[...lost].join(', ')}`)
})

const sentences = [
  'The quick brown fox jumps over the lazy dog near the river bank.',
  'Please leave your name, your number, and a short message after the tone.',
  'She sells sea shells by the sea shore on a bright sunny morning.',
  'The meeting on Thursday has been moved to half past four in the afternoon.',
  'Nine hundred and eighty seven people walked slowly across the old bridge.',
  'Kindly check the invoice before you send it to the accounting department.',
]

/** The sentences by what this machine speaks with; null: it cannot. */
async function spoken(): Promise<Map<string, Int16Array> | null> {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-lossy-'))
  const library = new Map<string, Int16Array>()
  try {
    const speech = openSpeech({ folder, log: silentLog })
    for (const text of sentences) {
      const sound = await readSound(await speech.synthesize(text, { language: 'en' }))
      if (sound.kind === 'sound') library.set(text, sound.pcm)
    }
    return library
  } catch (fault) {
    if (fault instanceof SpeechError && fault.reason === 'no-program') return null
    throw fault
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** One after the other, 400 ms between. */
function together(parts: Iterable<Int16Array>): Int16Array {
  const pause = new Int16Array(3200)
  const all = [...parts].flatMap((part) => [part, pause])
  const whole = new Int16Array(all.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of all) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Speech as the wire brought it: no jitter buffer, no concealment, each packet played when it came. */
function asItCame(pcm: Int16Array, { lost, lateMs }: Passed, from: number): Int16Array {
  const out = new Int16Array(pcm.length)
  for (let n = 0; (n + 1) * frame <= pcm.length; n++) {
    const at = Math.ceil(n + (lateMs[from + n] ?? 0) / 20) * frame
    if (!lost.has(from + n) && at + frame <= out.length) out.set(pcm.subarray(n * frame, (n + 1) * frame), at)
  }
  return out
}

/** Other work on the machine may take words from one round, and not from each: what the wire takes, it takes in each. */
const rounds = 3

/**
 * Speech of which nobody misses a word, on a machine that is busy with other things, too. How much better it is than silence in the gaps shows
 * `media/jitter/lossy-speech.test.ts`, where no machine comes between.
 */
const isUnderstood = ({ mean }: Intelligibility): boolean => mean >= 0.9

test('over that wire speech that is decoded at the far end is understood, and without concealment it would not be', async (t) => {
  const library = await spoken()
  if (library === null) {
    t.skip('neither flite nor espeak-ng is installed')
    return
  }
  const speech = together(library.values())
  const pairs: readonly (readonly [Codec, Codec])[] = [
    ['PCMA', 'G722'],
    ['PCMA', 'opus'],
    ['G722', 'opus'],
    ['PCMA', 'PCMA'],
    ['PCMA', 'PCMA'],
  ]
  const { offices, lines } = await TwoOffices.start(pairs, seed)
  await using _closing = offices
  // The phones of the last two lines meet in a conference.
  const [narrow, opus, wide, guest, member] = lines
  assert.ok(narrow && opus && wide && guest && member)
  for (const line of [narrow, opus, wide]) await offices.call(line)
  for (const [phone, number] of [
    [guest.east, conferenceNumber],
    [guest.west, '800'],
    [member.west, '800'],
  ] as const) {
    const call = await phone.phone.call(number)
    assert.equal(call.status, 200)
    phone.talk(call)
    await phone.press(pin)
  }
  await offices.west.facts.next('conference.joined', () => offices.west.facts.of('conference.joined').length === 3)
  const ears = [
    { what: 'G.711 to G.722', phone: narrow.west, number: numberOf(0), from: 0 },
    { what: 'G.711 to Opus', phone: opus.west, number: numberOf(1), from: 0 },
    { what: 'G.722 over G.711 to Opus', phone: wide.west, number: numberOf(2), from: 0 },
    { what: 'Opus over G.711 to G.722', phone: wide.east, number: numberOf(2), from: 1 },
    { what: 'G.711 in a conference', phone: member.west, number: conferenceNumber, from: 0 },
  ] as const
  const speakers = [narrow.east, opus.east, wide.east, wide.west, guest.east]
  const missing = new Set<(typeof ears)[number]>(ears)
  for (let round = 1; missing.size > 0; round++) {
    for (const { phone } of ears) phone.forget()
    const begun = new Map(ears.map((ear) => [ear, offices.wire.audio(ear.number, ear.from).sent]))
    // The silence behind it brings the end of it over.
    await Promise.all(speakers.map(async (phone) => phone.say(speech).then(() => phone.say(new Int16Array(8000)))))
    for (const ear of missing) {
      const { what, phone, number, from } = ear
      const heard = await phone.heard()
      const got = intelligibility(speech, heard)
      const without = intelligibility(speech, asItCame(speech, offices.wire.audio(number, from), begun.get(ear) ?? 0))
      t.diagnostic(`${what}: ${got.mean.toFixed(3)}, its worst twentieth ${got.worst.toFixed(3)}; as it came ${without.mean.toFixed(3)}`)
      assert.ok(!isUnderstood(without) && without.mean < 0.75, `${what}: ${JSON.stringify({ got, without })}`)
      const recognised: readonly string[] = recognise(heard, library).map(({ prompt }) => prompt)
      if (isUnderstood(got) && isDeepStrictEqual(recognised, sentences)) missing.delete(ear)
      else assert.ok(round < rounds, `${what}: ${JSON.stringify({ got, without, recognised })}`)
    }
  }
  assertBad(ears.map(({ number, from }) => offices.wire.audio(number, from)))
})
