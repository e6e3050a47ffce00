import assert from 'node:assert/strict'
import { statSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { simulate, type CallScript } from '#flows/simulator.ts'
import { compile } from '#server/config/compile.ts'
import { readDocuments } from '#server/config/read.ts'
import { demoFiles } from '#server/config/testing.ts'
import { recordingsFor } from '#server/config/recordings.ts'

const { documents } = readDocuments(demoFiles())
const folder = join(import.meta.dirname, '../../examples/demo')
const sounds = documents.flatMap((d) => (d.kind === 'prompt' && d.file !== undefined ? [{ id: d.id, file: join(folder, d.file) }] : []))
const promptMs = new Map(sounds.map(({ id, file }) => [id, (statSync(file).size - 44) / 16]))
const config = compile(documents, { promptMs })

/** What a caller of the main number meets, in order. */
function call(local: string, callees: CallScript['callees'] = {}): string[] {
  const at = Temporal.PlainDateTime.from(local).toZonedDateTime('Europe/Moscow').epochMilliseconds
  const number = config.numbers.get('+74950000100')
  assert.ok(number !== undefined)
  const { lines } = simulate(config, number.target, { at, caller: { number: '+79161234567' }, dialled: number.number, callees })
  return lines.flatMap((line) => {
    if (line.is === 'said') return [...line.prompts]
    if (line.is === 'ringing') return [`${line.targets.join()} ${line.ringMs / 1000} s`]
    if (line.is === 'rung') return [line.by === undefined ? line.outcome : `${line.by} answers`]
    return line.is === 'hung-up' ? [`end ${line.outcome.kind}`] : []
  })
}
const day = ['privet-work', 'extension 100 15 s']
const night = ['privet-nowork', 'external +79990000001 30 s']

test('on a working day the caller hears the day greeting, then 100 rings 15 s, then 102, then a goodbye', () => {
  assert.deepEqual(call('2026-11-23T12:00'), [...day, 'extension 102 20 s', 'no-answer', 'nobody', 'end no-answer'])
})

test('who answers first takes the call', () => {
  assert.deepEqual(call('2026-11-23T09:00', { 'extension 100': { answers: 4000 } }), [...day, 'extension 100 answers'])
  assert.deepEqual(call('2026-11-23T17:59', { 'extension 102': { answers: 4000 } }), [
    ...day,
    'extension 102 20 s',
    'extension 102 answers',
  ])
})

for (const local of ['2026-11-23T08:59', '2026-11-23T18:00', '2026-11-28T12:00', '2027-01-04T12:00', '2026-11-04T12:00']) {
  test(`at ${local}, outside working hours or on a holiday, the other greeting is heard and the outside mobile rings`, () => {
    assert.deepEqual(call(local, { 'external +79990000001': { answers: 9000 } }), [...night, 'external +79990000001 answers'])
    assert.deepEqual(call(local), [...night, 'no-answer', 'nobody', 'end no-answer'])
  })
}

test('calls to the main number are recorded and mailed', () => {
  const policies = recordingsFor(config, { direction: 'inbound', number: '+74950000100', extensions: [] })
  assert.deepEqual(
    policies.flatMap((policy) => policy.mailTo ?? []),
    ['office@romashka.example'],
  )
})

test('the sounds are 8 kHz 16-bit mono WAV, at most 15 s each and 1.5 MB together', () => {
  for (const { file } of sounds) {
    const head = readFileSync(file).subarray(0, 44)
    assert.deepEqual([head.readUInt16LE(20), head.readUInt16LE(22), head.readUInt32LE(24), head.readUInt16LE(34)], [1, 1, 8000, 16])
    assert.equal(head.readUInt32LE(40), statSync(file).size - 44)
  }
  assert.equal(sounds.length, 6)
  assert.ok([...promptMs.values()].every((ms) => ms > 1000 && ms <= 15_000))
  assert.ok(sounds.reduce((sum, { file }) => sum + statSync(file).size, 0) <= 1_500_000)
})
