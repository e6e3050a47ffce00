import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { silentLog } from '#base/log.ts'
import { meteredClock, processorTime, Turns } from '#server/health/turns.ts'

function open() {
  const clock = new VirtualClock()
  const machine = { micros: 5_000, ends: [] as (() => void)[], lines: [] as unknown[] }
  const turns = new Turns({
    clock,
    log: { ...silentLog, warn: (_message, fields) => void machine.lines.push(fields) },
    spentMicros: () => machine.micros,
    atEnd: (task) => void machine.ends.push(task),
  })
  const spend = (ms: number): void => void (machine.micros += ms * 1000)
  const endTurn = (): void => machine.ends.splice(0).forEach((end) => end())
  const figure = (line: string): number => {
    const found = turns
      .text()
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
    return Number(found?.slice(line.length + 1))
  }
  return { clock, machine, turns, spend, endTurn, figure }
}

describe('what holds the event loop', () => {
  test('is put down by piece of work and by turn, in processor time', () => {
    const { turns, spend, endTurn, figure } = open()
    turns.begins('sip udp', '192.0.2.1')
    spend(3)
    turns.begins('sip udp', '192.0.2.2')
    spend(30)
    turns.begins('timer', '')
    spend(0.5)
    endTurn()
    // Between turns the process does nothing that anybody waits for.
    spend(50)
    turns.begins('timer', '')
    spend(1)
    endTurn()
    assert.equal(figure('centrala_work_seconds_bucket{work="sip udp",le="0.005"}'), 1)
    assert.equal(figure('centrala_work_seconds_bucket{work="sip udp",le="0.05"}'), 2)
    assert.equal(figure('centrala_work_seconds_count{work="sip udp"}'), 2)
    assert.equal(figure('centrala_work_seconds_count{work="timer"}'), 2)
    assert.equal(figure('centrala_turn_seconds_bucket{le="0.001"}'), 1)
    assert.equal(figure('centrala_turn_seconds_bucket{le="0.05"}'), 2)
    assert.equal(figure('centrala_turn_seconds_count'), 2)
    assert.equal(figure('centrala_turn_seconds_sum'), 0.0345)
  })

  test('the longest piece of the last minute or two is named, and then forgotten', () => {
    const { clock, turns, spend, endTurn, figure } = open()
    turns.begins('http', 'PUT /v1/"x"')
    spend(40)
    endTurn()
    assert.deepEqual(turns.longest, { what: 'http', of: 'PUT /v1/"x"', ms: 40 })
    assert.equal(figure('centrala_longest_work_seconds{work="http"}'), 0.04)
    assert.doesNotMatch(turns.text(), /PUT/, 'anybody may read it: whose work it was is not for them')
    clock.advance(90_000)
    turns.begins('timer', '')
    spend(2)
    endTurn()
    assert.equal(turns.longest.what, 'http')
    clock.advance(61_000)
    assert.equal(turns.longest.what, 'timer')
    clock.advance(300_000)
    assert.equal(turns.longest.ms, 0)
  })

  test('a long one is told in the log, one in ten seconds at most', () => {
    const { clock, machine, turns, spend, endTurn } = open()
    for (let i = 0; i < 3; i++) {
      turns.begins('sip tcp', '192.0.2.1')
      spend(150)
      endTurn()
    }
    assert.deepEqual(machine.lines, [{ what: 'sip tcp', of: '192.0.2.1', ms: 150 }])
    clock.advance(10_000)
    turns.begins('sip tcp', '192.0.2.1')
    spend(150)
    endTurn()
    assert.equal(machine.lines.length, 2)
  })

  test('a task of a metered clock is a piece of work', () => {
    const { clock, turns, spend, endTurn, figure } = open()
    const metered = meteredClock(clock, turns)
    metered.after(10, () => spend(7))
    clock.advance(10)
    endTurn()
    assert.equal(figure('centrala_work_seconds_bucket{work="timer",le="0.005"}'), 0)
    assert.equal(figure('centrala_work_seconds_bucket{work="timer",le="0.01"}'), 1)
    assert.ok(metered.now() === clock.now() && metered.wall() === clock.wall())
  })
})

describe('processor time that is asked for many times a millisecond', () => {
  test('asks the system once a millisecond, and is never behind it nor more than a millisecond before it', () => {
    let [wallMs, micros, asked] = [10, 1_000, 0]
    const time = processorTime(
      () => wallMs,
      () => {
        asked++
        return micros
      },
    )
    let [first, before] = [time(), 0]
    // Two thirds of the time other programs run.
    for (let i = 0; i < 300; i++) {
      wallMs += 0.1
      if (i % 3 === 0) micros += 100
      const told = time()
      assert.ok(told >= before, 'never goes back')
      assert.ok(told >= micros - 100 && told <= micros + 1_000, `${told} for ${micros}`)
      before = told
    }
    assert.ok(asked <= 31, String(asked))
    assert.equal(first, 1_000)
    wallMs += 50
    first = time()
    micros += 30_000
    wallMs += 90
    assert.ok(Math.abs(time() - first - 30_000) <= 1_000, 'a long piece of work is measured by the system alone')
  })
})
