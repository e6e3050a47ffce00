import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { NewFact } from '#contract/facts.ts'
import { compile } from '#server/config/compile.ts'
import { compileOutbound } from '#server/config/compile-outbound.ts'
import { changed } from '#server/config/testing.ts'
import { readDialled } from '#server/numbering/numbering.ts'
import { OutboundGuard } from '#server/outbound/guard.ts'
import { Meter } from '#server/outbound/meter.ts'
import { permit, ratePerMinute, trunksFor } from '#server/outbound/permit.ts'

const outbound = compileOutbound({
  kind: 'outbound',
  id: 'main',
  routes: [{ prefixes: ['+371'], trunks: ['baltic'] }, { classes: ['mobile'], trunks: ['gsm', 'main'] }, { trunks: ['main'] }],
  permissions: { international: true },
  countries: ['LV', 'PL'],
  barredPrefixes: ['+7900'],
  rates: [
    { class: 'national', perMinute: 1 },
    { class: 'international', perMinute: 1 },
    { class: 'mobile', perMinute: 2 },
    { prefix: '+371', perMinute: 5 },
  ],
})

const cases: readonly [dialled: string, barred: string | null, rate: number, trunks: string[]][] = [
  ['84951234567', null, 1, ['main']],
  ['+79161234567', null, 2, ['gsm', 'main']],
  ['+79001234567', 'barred-prefix', 2, ['gsm', 'main']],
  ['+37167123456', null, 5, ['baltic']],
  ['+390612345678', 'barred-country', 1, ['main']],
  ['88091234567', 'barred-class', 0, ['main']],
  ['+881632111111', 'barred-class', 0, ['main']],
]
for (const [dialled, barred, rate, trunks] of cases) {
  test(`${dialled} is ${barred ?? 'permitted'}, costs ${rate} and goes by ${trunks.join(', ')}`, () => {
    const number = readDialled(dialled, 'RU')
    assert.equal(permit(outbound, number, 'RU')?.rule ?? null, barred)
    assert.equal(ratePerMinute(outbound, number), rate)
    assert.deepEqual(trunksFor(outbound, number), trunks)
  })
}

test('without an outbound document nobody dials out', () => {
  assert.equal(permit(null, readDialled('84951234567', 'RU'), 'RU')?.rule, 'no-outbound')
})

test('each started minute is charged, until the cap stands against the next call', () => {
  const clock = new VirtualClock()
  const kept: number[] = []
  const meter = new Meter(
    clock,
    () => 0,
    (k) => kept.push(k.spent),
  )
  const caps = { spendPerDay: 6 }
  const call = meter.begin()
  call.answered(2)
  clock.advance(119_000)
  assert.equal(meter.spentToday, 4)
  assert.equal(meter.check(caps, 2), null)
  clock.advance(2_000)
  assert.equal(meter.check(caps, 2)?.rule, 'spend-cap')
  call[Symbol.dispose]()
  clock.advance(600_000)
  assert.equal(meter.spentToday, 6)
  assert.deepEqual(kept, [2, 4, 6])
  assert.equal(clock.pending, 0)
})

test('a new day of the company begins with nothing spent', () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1, 20, 59))
  const moscow = 3 * 3_600_000
  const meter = new Meter(
    clock,
    () => moscow,
    () => undefined,
    { day: Math.floor((clock.wall() + moscow) / 86_400_000), spent: 9 },
  )
  assert.equal(meter.check({ spendPerDay: 10 }, 2)?.rule, 'spend-cap')
  clock.advance(2 * 60_000)
  assert.equal(meter.check({ spendPerDay: 10 }, 2), null)
})

test('calls at once and calls a minute are bounded', () => {
  const clock = new VirtualClock()
  const meter = new Meter(
    clock,
    () => 0,
    () => undefined,
  )
  const first = meter.begin()
  assert.equal(meter.check({ concurrentCalls: 1 }, 0)?.rule, 'concurrency-cap')
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.equal(meter.concurrent, 0)
  assert.equal(meter.check({ callsPerMinute: 1 }, 0)?.rule, 'rate-cap')
  clock.advance(60_001)
  assert.equal(meter.check({ callsPerMinute: 1 }, 0), null)
})

/** A guard over the small company, whose company may spend 5 a day and each phone what it says. */
function guarded(caps: Record<string, object>) {
  const clock = new VirtualClock()
  const alarms: string[] = []
  const book = compile(changed({ 'outbound out': { rates: [{ class: 'mobile', perMinute: 2 }], caps } }))
  const tell = (fact: NewFact): void => void (fact.kind === 'alarm.raised' && alarms.push(`${fact.rule}: ${fact.detail}`))
  const guard = new OutboundGuard({ clock, tell, keep: () => undefined, kept: () => undefined })
  const ended: string[] = []
  const call = guard.begin(book, { tenant: 'acme', device: 'anna-desk' })
  const warned: number[] = []
  call.answered(
    2,
    (detail) => ended.push(detail),
    () => warned.push(clock.now()),
  )
  return { clock, alarms, ended, warned, call }
}

test('a running call ends with the last minute that the money of the day pays, and an alarm says so', () => {
  const { clock, alarms, ended, call } = guarded({ company: { spendPerDay: 5 } })
  clock.advance(119_000)
  assert.deepEqual(ended, [])
  clock.advance(1_000)
  assert.deepEqual(ended, ['5 a day are allowed, 4.00 are spent'])
  assert.deepEqual(alarms, ['spend-cap: 5 a day are allowed, 4.00 are spent; a call was ended'])
  call[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})

test('where the company wants it, a running call goes on beyond the cap, is charged, and the alarm is raised once', () => {
  const { clock, alarms, ended, call } = guarded({ device: { spendPerDay: 3, whenSpent: 'go-on' } })
  clock.advance(600_000)
  assert.deepEqual(ended, [])
  assert.deepEqual(alarms, ['spend-cap: anna-desk: 3 a day are allowed, 2.00 are spent; a call goes on'])
  call[Symbol.dispose]()
  assert.equal(clock.pending, 0)
})

test('where the company wants it announced, the phone is told once, a minute before the end; otherwise never', () => {
  for (const [caps, at] of [
    [{ company: { spendPerDay: 5, whenSpent: 'announce' } }, [60_000]],
    [{ company: { spendPerDay: 5, whenSpent: 'announce' }, device: { spendPerDay: 5, whenSpent: 'announce' } }, [60_000]],
    [{ device: { spendPerDay: 2, whenSpent: 'announce' } }, [0]],
    [{ company: { spendPerDay: 5 } }, []],
  ] as const) {
    const { clock, ended, warned, call } = guarded(caps)
    clock.advance(60_000)
    assert.deepEqual(warned, at)
    clock.advance(600_000)
    assert.deepEqual(warned, at)
    assert.ok(ended.length > 0)
    call[Symbol.dispose]()
    assert.equal(clock.pending, 0)
  }
})
