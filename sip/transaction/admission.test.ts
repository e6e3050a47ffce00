import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { Gate } from '#sip/transaction/admission.ts'
import { defaultTransactionOptions } from '#sip/transaction/layer.ts'

function request(method: string, toTag = ''): SipRequest {
  return buildRequest({ method, uri: 'sip:a@b', headers: [['To', `<sip:a@b>${toTag}`]] })
}

/** A gate over a wheel whose turns come as late as they are told to. */
function lateGate() {
  let now = 0
  let wake: () => void = () => undefined
  const wheel = new TimerWheel({
    now: () => now,
    wall: () => now,
    after: (_ms, task) => {
      wake = task
      return { [Symbol.dispose]: () => undefined }
    },
  })
  const gate = new Gate(wheel, { ...defaultTransactionOptions, maxLateness: 200 })
  /** The next turn of the wheel comes so much too late. */
  const late = (ms: number): void => {
    wheel.after(100, () => undefined)
    now = Math.ceil((now + 100) / 10) * 10 + 10 + ms
    wake()
  }
  return { gate, late }
}

test('a process whose timers have run late for half a second sheds new requests until they run half as late, and serves what belongs to calls', () => {
  const { gate, late } = lateGate()
  late(190)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
  late(2000)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve', 'one hiccup, however long')
  late(0)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
  late(210)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
  late(210)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve', 'late for 320 ms')
  late(210)
  assert.equal(gate.admit(request('INVITE'), 0), 'shed', 'late for 640 ms')
  assert.equal(gate.admit(request('REGISTER'), 0), 'shed')
  for (const [method, tag] of [
    ['INVITE', ';tag=1'],
    ['BYE', ';tag=1'],
    ['CANCEL', ''],
  ] as const) {
    assert.equal(gate.admit(request(method, tag), 0), 'serve')
  }
  late(110)
  assert.equal(gate.admit(request('INVITE'), 0), 'shed', 'half is not reached')
  late(90)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
})

test('hiccups far apart of which each meets a request are no queue, though nothing comes in between', () => {
  const { gate, late } = lateGate()
  for (let hiccups = 0; hiccups < 3; hiccups++) {
    late(300)
    assert.equal(gate.admit(request('INVITE'), 0), 'serve')
    for (let turns = 0; turns < 20; turns++) late(0)
  }
  for (let turns = 0; turns < 3; turns++) {
    late(300)
    gate.admit(request('INVITE'), 0)
  }
  assert.equal(gate.admit(request('INVITE'), 0), 'shed', 'now it stands')
  for (let turns = 0; turns < 20; turns++) late(0)
  late(300)
  assert.equal(gate.admit(request('INVITE'), 0), 'serve', 'what stood is long gone')
})

test('while something behind it falls behind, new requests are shed, priority ones are served, and a flood is not even answered', () => {
  let strained = false
  const wheel = new TimerWheel(new VirtualClock(0))
  const options = { isStrained: () => strained, shedPerSecond: 10, isPriority: ({ uri }: SipRequest) => uri === 'sip:112@b' }
  const gate = new Gate(wheel, { ...defaultTransactionOptions, ...options })
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
  strained = true
  const told = Array.from({ length: 100 }, () => gate.admit(request('INVITE'), 0))
  assert.deepEqual([told.filter((each) => each === 'shed').length, told.filter((each) => each === 'drop').length], [10, 90])
  assert.equal(gate.admit(request('BYE', ';tag=1'), 0), 'serve')
  assert.equal(gate.admit(buildRequest({ method: 'INVITE', uri: 'sip:112@b', headers: [['To', '<sip:112@b>']] }), 0), 'serve')
  strained = false
  assert.equal(gate.admit(request('INVITE'), 0), 'serve')
})
