import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TimerWheel, type WheelTimer } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { InviteClient } from '#sip/transaction/invite-client.ts'
import { InviteServer } from '#sip/transaction/invite-server.ts'
import type { ClientInput, Effect, Machine, ServerInput } from '#sip/transaction/machine.ts'
import { NonInviteClient } from '#sip/transaction/non-invite-client.ts'
import { NonInviteServer } from '#sip/transaction/non-invite-server.ts'
import { defaultTimerBase, type Timer, timings } from '#sip/transaction/timings.ts'

const udp = timings(defaultTimerBase, false)
const tcp = timings(defaultTimerBase, true)

/** A machine on virtual time; notes every effect but timers as `seconds effect`. */
class Bench<Input> {
  readonly clock = new VirtualClock()
  readonly wheel = new TimerWheel(this.clock)
  readonly machine: Machine<Input | { kind: 'timer'; timer: Timer }>
  readonly seen: string[] = []
  readonly timers = new Map<Timer, WheelTimer>()

  constructor(machine: Machine<Input | { kind: 'timer'; timer: Timer }>) {
    this.machine = machine
  }

  put(input: Input | { kind: 'timer'; timer: Timer }): this {
    for (const effect of this.machine.step(input)) this.#carryOut(effect)
    return this
  }

  wait(seconds: number): this {
    this.clock.advance(seconds * 1000)
    return this
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'start') {
      this.timers.get(effect.timer)?.stop()
      const timer = this.wheel.after(effect.delay, () => this.put({ kind: 'timer', timer: effect.timer }))
      this.timers.set(effect.timer, timer)
      return
    }
    if (effect.kind === 'stop') return this.timers.get(effect.timer)?.stop()
    if (effect.kind === 'end') for (const timer of this.timers.values()) timer.stop()
    this.seen.push(`${this.clock.now() / 1000} ${effect.kind}${effect.kind === 'fail' ? ` ${effect.why}` : ''}`)
  }

  /** Nothing is left to happen. */
  assertOver(): void {
    assert.equal(this.machine.ended, true)
    assert.equal(this.wheel.size, 0)
  }
}
const client = (machine: Machine<ClientInput>): Bench<ClientInput> => new Bench<ClientInput>(machine).put({ kind: 'begin' })
const server = (machine: Machine<ServerInput>): Bench<ServerInput> => new Bench<ServerInput>(machine).put({ kind: 'begin' })
const response = (status: number): ClientInput => ({ kind: 'response', status })
const respond = (status: number): ServerInput => ({ kind: 'respond', status })

test('over UDP an unanswered INVITE is sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s and fails at 32 s', () => {
  const bench = client(new InviteClient(udp)).wait(100)
  assert.deepEqual(bench.seen, [
    '0 send',
    '0.5 send',
    '1.5 send',
    '3.5 send',
    '7.5 send',
    '15.5 send',
    '31.5 send',
    '32 fail timeout',
    '32 end',
  ])
  bench.assertOver()
})

test('over TCP an unanswered INVITE is sent once and fails at 32 s', () => {
  const bench = client(new InviteClient(tcp)).wait(100)
  assert.deepEqual(bench.seen, ['0 send', '32 fail timeout', '32 end'])
  bench.assertOver()
})

test('a provisional response stops the INVITE’s retransmission and Timer B for good', () => {
  const bench = client(new InviteClient(udp)).wait(0.6).put(response(100)).wait(3600).put(response(180)).put(response(486)).wait(100)
  assert.deepEqual(bench.seen, ['0 send', '0.5 send', '0.6 deliver', '3600.6 deliver', '3600.6 ack', '3600.6 deliver', '3632.6 end'])
  bench.assertOver()
})

test('over UDP each repetition of a failure is acknowledged and not handed up, until Timer D ends it after 32 s', () => {
  const bench = client(new InviteClient(udp))
    .put(response(404))
    .wait(1)
    .put(response(404))
    .wait(30)
    .put(response(404))
    .wait(10)
    .put(response(404))
  assert.deepEqual(bench.seen, ['0 send', '0 ack', '0 deliver', '1 ack', '31 ack', '32 end'])
  bench.assertOver()
})

test('over TCP a failure ends the INVITE transaction at once', () => {
  const bench = client(new InviteClient(tcp)).put(response(404))
  assert.deepEqual(bench.seen, ['0 send', '0 ack', '0 deliver', '0 end'])
  bench.assertOver()
})

test('every 2xx is handed up for 64·T1 after the first, over UDP and TCP (RFC 6026)', () => {
  for (const timing of [udp, tcp]) {
    const bench = client(new InviteClient(timing))
      .put(response(180))
      .put(response(200))
      .wait(1)
      .put(response(200))
      .put(response(180))
      .put(response(404))
    bench.wait(31).put(response(200)).wait(100)
    assert.deepEqual(bench.seen, ['0 send', '0 deliver', '0 deliver', '1 deliver', '32 end'])
    bench.assertOver()
  }
})

test('a transport failure ends an INVITE that nobody has answered, and not one that rings', () => {
  const calling = client(new InviteClient(udp)).put({ kind: 'transport-failed' })
  assert.deepEqual(calling.seen, ['0 send', '0 fail transport', '0 end'])
  calling.assertOver()
  const ringing = client(new InviteClient(tcp)).put(response(180)).put({ kind: 'transport-failed' }).put(response(200))
  assert.deepEqual(ringing.seen, ['0 send', '0 deliver', '0 deliver'])
})

test('over UDP an unanswered request is sent at 0, 0.5, 1.5, 3.5, then every 4 s, and fails at 32 s', () => {
  const bench = client(new NonInviteClient(udp)).wait(100)
  const instants = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
  assert.deepEqual(bench.seen, [...instants.map((s) => `${s} send`), '32 fail timeout', '32 end'])
  bench.assertOver()
})

test('a provisional response slows the retransmission of a request to every 4 s', () => {
  const bench = client(new NonInviteClient(udp)).wait(0.2).put(response(100)).wait(5).put(response(200)).wait(100)
  assert.deepEqual(bench.seen, ['0 send', '0.2 deliver', '0.5 send', '4.5 send', '5.2 deliver', '10.2 end'])
  bench.assertOver()
})

test('the final response of a request is handed up once; over UDP repetitions are absorbed for T4, over TCP none are awaited', () => {
  const bench = client(new NonInviteClient(udp)).put(response(200)).wait(4).put(response(200)).wait(1)
  assert.deepEqual(bench.seen, ['0 send', '0 deliver', '5 end'])
  bench.assertOver()
  const stream = client(new NonInviteClient(tcp)).put(response(200))
  assert.deepEqual(stream.seen, ['0 send', '0 deliver', '0 end'])
  stream.assertOver()
})

test('an INVITE gets its 100 after 200 ms unless its user was faster', () => {
  assert.deepEqual(server(new InviteServer(udp)).wait(1).seen, ['0 deliver', '0.2 send-trying'])
  assert.deepEqual(server(new InviteServer(udp)).wait(0.1).put(respond(180)).wait(1).seen, ['0 deliver', '0.1 send'])
  assert.deepEqual(server(new InviteServer(timings(defaultTimerBase, false, 0))).seen, ['0 send-trying', '0 deliver'])
})

test('a repeated INVITE is answered with the last provisional response', () => {
  const bench = server(new InviteServer(udp)).put({ kind: 'repeat' }).put(respond(183)).wait(0.5).put({ kind: 'repeat' })
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '0.5 send'])
})

test('over UDP a failure response is sent at 0, 0.5, 1.5, 3.5, then every 4 s, and given up at 32 s without an ACK', () => {
  const bench = server(new InviteServer(udp)).put(respond(486)).wait(100)
  const instants = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
  assert.deepEqual(bench.seen, ['0 deliver', ...instants.map((s) => `${s} send`), '32 fail timeout', '32 end'])
  bench.assertOver()
})

test('an ACK stops the failure response; over UDP repeated INVITEs and ACKs are absorbed for T4', () => {
  const bench = server(new InviteServer(udp))
    .put(respond(486))
    .wait(0.7)
    .put({ kind: 'ack' })
    .wait(1)
    .put({ kind: 'ack' })
    .put({ kind: 'repeat' })
    .wait(10)
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '0.5 send', '5.7 end'])
  bench.assertOver()
})

test('over TCP a failure response is sent once and its ACK ends the transaction', () => {
  const bench = server(new InviteServer(tcp)).put(respond(486)).wait(5).put({ kind: 'ack' })
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '5 end'])
  bench.assertOver()
})

test('after a 2xx repeated INVITEs are absorbed for 64·T1, ACKs go up, and the user repeats the 2xx (RFC 6026)', () => {
  const bench = server(new InviteServer(udp))
    .put(respond(200))
    .wait(0.5)
    .put({ kind: 'repeat' })
    .put(respond(200))
    .put({ kind: 'ack' })
    .wait(40)
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '0.5 send', '0.5 deliver', '32 end'])
  bench.assertOver()
})

test('a failed transport is reported and leaves an INVITE server transaction as it is', () => {
  const bench = server(new InviteServer(udp))
    .put({ kind: 'transport-failed' })
    .put(respond(486))
    .put({ kind: 'transport-failed' })
    .put({ kind: 'repeat' })
  assert.deepEqual(bench.seen, ['0 deliver', '0 fail transport', '0 send', '0 fail transport', '0 send'])
})

test('a repeated request is dropped while unanswered, then answered with the last response for 64·T1', () => {
  const bench = server(new NonInviteServer(udp))
    .put({ kind: 'repeat' })
    .put(respond(200))
    .wait(1)
    .put({ kind: 'repeat' })
    .put(respond(404))
    .wait(31)
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '1 send', '32 end'])
  bench.assertOver()
})

test('over TCP the final response ends a request at once', () => {
  const bench = server(new NonInviteServer(tcp)).put(respond(100)).put(respond(200))
  assert.deepEqual(bench.seen, ['0 deliver', '0 send', '0 send', '0 end'])
  bench.assertOver()
})

const timer = fc
  .constantFrom<Timer>('A', 'B', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'trying')
  .map((name) => ({ kind: 'timer' as const, timer: name }))
const pause = fc.record({ kind: fc.constant('wait' as const), seconds: fc.double({ min: 0, max: 40, noNaN: true }) })
const status = fc.integer({ min: 100, max: 699 })
const lost = fc.constant({ kind: 'transport-failed' as const })
const clientInput = fc.oneof(status.map(response), lost, timer, pause)
const serverInput = fc.oneof(status.map(respond), lost, timer, pause, fc.constantFrom<ServerInput>({ kind: 'repeat' }, { kind: 'ack' }))

test('no sequence of inputs wedges a client transaction: it ends once, after a final response at the latest, and leaves no timer', () => {
  const makers = [() => new InviteClient(udp), () => new InviteClient(tcp), () => new NonInviteClient(udp), () => new NonInviteClient(tcp)]
  fc.assert(
    fc.property(fc.constantFrom(...makers), fc.array(clientInput, { maxLength: 30 }), (make, inputs) => {
      const bench = client(make())
      for (const input of inputs) {
        if (input.kind === 'wait') bench.wait(input.seconds)
        else bench.put(input)
      }
      bench.put(response(500)).wait(200)
      bench.assertOver()
      assert.equal(bench.seen.filter((line) => line.endsWith(' end')).length, 1)
      assert.ok(bench.seen.filter((line) => line.includes('fail')).length <= 1)
      const sent = bench.seen.length
      bench.put(response(200)).put({ kind: 'begin' }).wait(100)
      assert.equal(bench.seen.length, sent, 'a transaction that ended does nothing more')
    }),
  )
})

test('no sequence of inputs wedges a server transaction: it ends once, after the final response at the latest, and leaves no timer', () => {
  const makers = [() => new InviteServer(udp), () => new InviteServer(tcp), () => new NonInviteServer(udp), () => new NonInviteServer(tcp)]
  fc.assert(
    fc.property(fc.constantFrom(...makers), fc.array(serverInput, { maxLength: 30 }), (make, inputs) => {
      const bench = server(make())
      for (const input of inputs) {
        if (input.kind === 'wait') bench.wait(input.seconds)
        else bench.put(input)
      }
      bench.put(respond(500)).wait(200)
      bench.assertOver()
      assert.equal(bench.seen.filter((line) => line.endsWith(' end')).length, 1)
    }),
  )
})
