import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CallView } from '#contract/api/calls.ts'
import type { Fact, FactKind } from '#contract/facts.ts'
import type { HeardPart } from '#media/listen/listen.ts'
import { listen } from '#media/listen/listen.ts'
import { decodeRecording } from '#media/record/decode-recording.ts'
import { until } from '#test/support/sounds.ts'
import { type CallFromOutside, DemoSystem } from '#test/support/system.ts'
import { hear, promptBook, type PromptBook } from '#tools/lib/heard.ts'
import type { PhoneManner, PhoneNotice } from '#tools/lib/soft-phone.ts'

/**
 * The worked example (C17 of docs/status.md) on the running product: Mon to Fri 09 to 18 in Moscow one greeting, then extension 100, then 102; at
 * other times the other greeting, then a mobile outside; the recording by mail. Calls go on side by side, each known by its caller.
 */
const company = '+74950000100'
const mobile = '+79990000001'
const sounds = join(import.meta.dirname, '..', '..', 'examples', 'demo', 'prompts')
/** What the people who talk say, and the same among the prompts, by which it is known again. */
const spoken = {
  caller: { file: join(sounds, 'capped.wav'), prompt: 'capped' },
  phone: { file: join(sounds, 'barred.wav'), prompt: 'barred' },
}

/** Callers whom nobody inside wants to talk to, and who find somebody. */
const unlucky = '+79160000001'
const lucky = '+79160000002'

let system: DemoSystem
let book: PromptBook
/** What extension 102 noticed. */
let office: PhoneNotice[]

before(async () => {
  system = await DemoSystem.start()
  book = await promptBook(system.api)
  const manners: Readonly<Record<string, PhoneManner>> = {
    [unlucky]: { kind: 'declines', afterMs: 2_000 },
    [lucky]: { kind: 'answers', afterMs: 1_000 },
  }
  await system.phone('100', () => ({ kind: 'rings' }))
  office = (await system.phone('102', (from) => manners[from] ?? { kind: 'rings' }, spoken.phone.file)).notices
})
after(() => system[Symbol.asyncDispose]())

describe('a company with opening hours', { concurrency: true }, () => {
  test('in working hours the caller is greeted, 100 rings 15 s, then 102 rings, then the caller is told that nobody can answer', async () => {
    const call = await system.callIn(company, unlucky, '2026-11-20T11:00')
    const heard = await heardOf(call)
    assert.deepEqual(promptsIn(heard), ['privet-work', 'nobody'])
    assert.deepEqual(
      of(call, 'ring.started').map(({ targets, ms }) => [targets, ms]),
      [
        [['100'], 15_000],
        [['102'], 20_000],
      ],
    )
    assert.ok(Math.abs(rangMs(call, '100') - 15_000) < 500, `100 rang ${rangMs(call, '100')} ms`)
    assert.ok(
      heard.some((part) => part.kind === 'tone' && part.frequencies.join() === '425'),
      'the caller hears the ringing tone',
    )
    assert.equal(call.noticed.at(-1)?.kind, 'ended')
    const row = await rowOf(unlucky)
    assert.deepEqual([row.direction, row.outcome.kind, row.answeredBy, row.missed], ['inbound', 'no-answer', null, true])
    assert.deepEqual(row.recordings, [])
  })

  test('102 takes the call that 100 let ring: both hear each other, and the recording of it is mailed', async () => {
    const call = await system.callIn(company, lucky, '2026-11-20T11:00')
    await talk(call)
    const heard = await heardOf(call)
    assert.deepEqual(promptsIn(heard).slice(0, 2), ['privet-work', spoken.phone.prompt])
    assert.ok(Math.abs(rangMs(call, '100') - 15_000) < 500)
    await until('the tape of 102', () => Promise.resolve(office.some((notice) => notice.kind === 'ended')))
    const tape = office.find((notice) => notice.kind === 'ended')?.tape
    assert.ok(typeof tape === 'string')
    assert.ok(promptsIn(await hear(tape, book)).includes(spoken.caller.prompt), '102 hears the caller')
    const recorded = promptsIn(await recordingOf(call, lucky))
    assert.ok(recorded.includes(spoken.caller.prompt) || recorded.includes(spoken.phone.prompt), `recorded: ${recorded.join()}`)
    const row = await rowOf(lucky)
    assert.deepEqual(
      [row.outcome.kind, row.outcome.by, row.answeredBy?.number, row.missed, row.recordings.length],
      ['answered', 'caller', '102', false, 1],
    )
  })

  for (const [when, at, from] of [
    ['in the evening', '2026-11-20T20:00', '+79160000003'],
    ['on a Saturday', '2026-11-21T12:00', '+79160000004'],
    ['on a holiday', '2026-11-04T12:00', '+79160000005'],
  ] as const) {
    test(`${when} the caller hears the other greeting, then talks with the mobile of whoever is on duty`, async () => {
      const call = await system.callIn(company, from, at)
      await talk(call)
      const heard = await heardOf(call)
      assert.deepEqual(promptsIn(heard), ['privet-nowork'])
      assert.ok(heard.some(isBeep), 'the caller hears the mobile')
      assert.deepEqual(
        of(call, 'ring.started').map(({ targets }) => targets),
        [[mobile]],
      )
      const recorded = await recordingOf(call, from)
      assert.ok(promptsIn(recorded).includes(spoken.caller.prompt), 'the recording has what the caller said')
      const row = await rowOf(from)
      assert.deepEqual(
        [row.direction, row.outcome.kind, row.answeredBy?.number, row.trunk],
        ['inbound', 'answered', mobile, 'demo-carrier'],
      )
    })
  }
})

/** Once somebody has taken the call, the caller says something, and hangs up when it is said. */
async function talk(call: CallFromOutside): Promise<void> {
  await call.until((fact) => fact.kind === 'bridge.joined')
  call.order({ kind: 'play', file: spoken.caller.file })
  await call.played
  call.hangUp()
}

/** Listens to what the caller had on the line, when the call is over in every respect. */
async function heardOf(call: CallFromOutside): Promise<HeardPart[]> {
  const tape = await call.done
  await call.until((fact) => fact.kind === 'call.ended')
  assert.ok(tape !== null, 'the caller heard something')
  return hear(tape, book)
}

/** What is on the recording in the mail. Two channels of speech are one on it: what one says covers the other. */
async function recordingOf(call: CallFromOutside, from: string): Promise<HeardPart[]> {
  await call.until((fact) => fact.kind === 'recording.mailed')
  const mails = [...(await system.mailed())].filter(([file]) => file.includes(from))
  assert.equal(mails.length, 1, 'one letter for one recording')
  const [file, bytes] = mails[0] ?? ['', new Uint8Array()]
  assert.match(file, /\.ogg$/)
  return listen(await decodeRecording(bytes), book.sounds)
}

async function rowOf(from: string): Promise<CallView> {
  let rows: CallView[] = []
  await until(`history of ${from}`, async () => {
    rows = (await system.api.get<{ calls: CallView[] }>(`/v1/calls?text=${encodeURIComponent(from)}`)).calls
    return rows.length > 0 && rows.every(({ endedAt }) => endedAt !== null)
  })
  const [row, ...others] = rows
  assert.ok(row !== undefined && others.length === 0, 'one call is one row')
  return row
}

type Of<K extends FactKind> = Extract<Fact, { kind: K }>
function of<K extends FactKind>(call: CallFromOutside, kind: K): Of<K>[] {
  return call.facts().filter((fact): fact is Of<K> => fact.kind === kind)
}

/** How long an extension rang, by the journal. */
function rangMs(call: CallFromOutside, extension: string): number {
  const leg = of(call, 'leg.started').find(({ role, endpoint }) => role === 'callee' && endpoint.number === extension)?.leg
  const rings = of(call, 'leg.ringing').find((fact) => fact.leg === leg)
  const ended = of(call, 'leg.ended').find((fact) => fact.leg === leg)
  return (ended?.at ?? Number.NaN) - (rings?.at ?? Number.NaN)
}

function promptsIn(heard: readonly HeardPart[]): string[] {
  return heard.flatMap((part) => (part.kind === 'prompt' ? [part.prompt] : []))
}

/** How simulated mobiles say that they are there. */
function isBeep(part: HeardPart): boolean {
  return part.kind === 'tone' && part.frequencies.join() === '1000'
}
