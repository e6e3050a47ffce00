import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { compileOutbound } from '#server/config/compile-outbound.ts'
import { readDialled } from '#server/numbering/numbering.ts'
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
