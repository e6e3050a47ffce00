import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { LogSink } from '#server/keeper/log-sink.ts'
import { RotatingFile } from '#server/keeper/rotating-file.ts'

function sinkWith(): { sink: LogSink; file: string[]; terminal: string[] } {
  const [file, terminal]: [string[], string[]] = [[], []]
  const clock = new VirtualClock(Date.parse('2026-03-02T09:00:00Z'))
  const sink = new LogSink({
    clock,
    file: { writeLine: (line) => file.push(line) },
    terminal: { writeLine: (line) => terminal.push(line) },
  })
  return { sink, file, terminal }
}

test('a line of JSON goes to the file as JSON and to the terminal as a sentence', () => {
  const { sink, file, terminal } = sinkWith()
  sink.line('server', '{"level":30,"time":1772442000000,"pid":7,"hostname":"h","msg":"call answered","call":"c-1","ringMs":2300}')
  assert.deepEqual(JSON.parse(file[0] ?? ''), {
    level: 30,
    time: 1_772_442_000_000,
    process: 'server',
    msg: 'call answered',
    call: 'c-1',
    ringMs: 2300,
  })
  assert.match(terminal[0] ?? '', /^\d\d:\d\d:\d\d server {7}call answered {2}call=c-1 {2}ringMs=2300$/)
})

test('what is not JSON, such as a stack, is kept as a warning with the instant it came', () => {
  const { sink, file, terminal } = sinkWith()
  sink.line('engine-0', '    at Socket.<anonymous> (file.ts:1:1)')
  sink.line('engine-0', '{"half":')
  sink.line('engine-0', '   ')
  assert.deepEqual(
    file.map((line) => JSON.parse(line).msg),
    ['    at Socket.<anonymous> (file.ts:1:1)', '{"half":'],
  )
  assert.equal(JSON.parse(file[0] ?? '').time, Date.parse('2026-03-02T09:00:00Z'))
  assert.match(terminal[0] ?? '', /warning: /)
})

test('a level may be a number or a name', () => {
  const { sink, file } = sinkWith()
  sink.line('server', '{"level":60,"msg":"a"}')
  sink.line('engine-0', '{"level":"error","msg":"b"}')
  assert.deepEqual(
    file.map((line) => JSON.parse(line).level),
    [50, 50],
  )
})

test('debug lines go to the file only', () => {
  const { sink, file, terminal } = sinkWith()
  sink.log('keeper').child({ process: 'server' }).debug('serves', { ms: 5 })
  assert.equal(file.length, 1)
  assert.deepEqual(terminal, [])
})

test('a log file stays below its limit and so many older ones are kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-log-'))
  const file = new RotatingFile({ path: join(folder, 'centrala.log'), maxBytes: 30, keep: 2 })
  for (let n = 0; n < 9; n++) file.writeLine(`line ${n} ....`)
  file.close()
  assert.deepEqual((await readdir(folder)).sort(), ['centrala.log', 'centrala.log.1', 'centrala.log.2'])
  const kept = await Promise.all(['centrala.log.2', 'centrala.log.1', 'centrala.log'].map((name) => readFile(join(folder, name), 'utf8')))
  assert.equal(kept.join(''), [4, 5, 6, 7, 8].map((n) => `line ${n} ....\n`).join(''))
  await rm(folder, { recursive: true })
})

test('a log that cannot be written counts what it drops and hurts nobody', () => {
  const file = new RotatingFile({ path: join(tmpdir(), 'no-such-folder-of-ours', 'centrala.log'), maxBytes: 30, keep: 2 })
  file.writeLine('lost')
  assert.equal(file.dropped, 1)
})
