import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock, Millis } from '#base/clock.ts'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Endpoint, StreamParams } from '#media/engine.ts'
import { type Heard, openRig, type Phone, type Rig, streamTo } from '#media/engine/test-rig.ts'

interface Party {
  phone: Phone
  endpoint: Endpoint
}

function party(rig: Pick<Rig, 'phone' | 'open'>, address: string, over: Partial<StreamParams> = {}): Party {
  const phone = rig.phone(address)
  const { endpoint } = rig.open()
  endpoint.aim(streamTo(phone.address, over))
  return { phone, endpoint }
}

/** One packet from `a` to whoever hears it, each 20 ms. */
function say({ clock }: Rig, a: Party, packets: number): void {
  for (let n = 0; n < packets; n++) {
    clock.advance(20)
    a.phone.say(a.endpoint)
  }
}

/** From each packet to the next: by how many numbers, by how many ms of media, and whether the second is marked. */
function steps(heard: readonly Heard[]): (readonly [sequence: number, ms: number, marker: boolean])[] {
  return heard.slice(1).map((packet, i) => {
    const before = heard[i] ?? packet
    return [(packet.sequence - before.sequence) & 0xffff, ((packet.timestamp - before.timestamp) | 0) / 8, packet.marker] as const
  })
}

test('after a hold in which nobody was heard the numbers go on by one and the timestamps by the time that passed', async () => {
  for (const direction of ['inactive', 'recvonly'] as const) {
    await using rig = await openRig()
    const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
    a.endpoint.join(b.endpoint)
    say(rig, a, 2)
    b.endpoint.aim(streamTo(b.phone.address, { direction }))
    say(rig, a, 100)
    b.endpoint.aim(streamTo(b.phone.address))
    say(rig, a, 2)
    assert.deepEqual(
      steps(b.phone.take()),
      [
        [1, 20, false],
        [1, 2020, true],
        [1, 20, false],
      ],
      direction,
    )
  }
})

test('parties that are parted and joined again hear no gap in the numbers', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  say(rig, a, 1)
  b.endpoint.part()
  say(rig, a, 50)
  b.endpoint.join(a.endpoint)
  say(rig, a, 1)
  assert.deepEqual(steps(b.phone.take()), [[1, 1020, true]])
})

test('a prompt after a silence begins where time stands, not where the last one ended', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  a.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 40 }])
  await rig.clock.advanceAsync(1000)
  a.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 40 }])
  await rig.clock.advanceAsync(100)
  assert.deepEqual(steps(a.phone.take()), [
    [1, 20, false],
    [1, 980, true],
    [1, 20, false],
  ])
})

test('a prompt that goes on while nothing may be sent is not late when it may again', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
  rig.clock.advance(40)
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'recvonly' }))
  rig.clock.advance(400)
  a.endpoint.aim(streamTo(a.phone.address))
  rig.clock.advance(40)
  assert.deepEqual(steps(a.phone.take()), [
    [1, 20, false],
    [1, 420, true],
    [1, 20, false],
  ])
})

test('the packets that keep a way open carry the time at which they are sent', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  rig.clock.advance(16_000)
  const heard = a.phone.take()
  assert.ok(heard.length >= 3)
  for (const [sequence, ms] of steps(heard)) assert.ok(sequence === 1 && ms >= 5000 && ms < 5200, `${sequence} by ${ms} ms`)
})

test('our first number leaves half of all numbers before they wrap, whatever chance says', async () => {
  const random = { ...countingRandom(), below: (limit: number) => limit - 1 }
  await using rig = await openRig({ random })
  const a = rig.phone('198.51.100.1')
  const { endpoint } = rig.open()
  endpoint.aim(streamTo(a.address))
  endpoint.play([{ kind: 'tone', tone: 'beep', ms: 20 }])
  rig.clock.advance(40)
  assert.equal(a.take()[0]?.sequence, 2 ** 15 - 1)
})

/** Time of a machine that can stand still: what falls due meanwhile comes late, all at once. */
class StallingClock implements Clock {
  readonly time = new VirtualClock(1_767_600_000_000)
  #until: Millis = 0

  now(): Millis {
    return this.time.now()
  }

  wall(): number {
    return this.time.wall()
  }

  after(ms: Millis, task: () => void): Disposable {
    const run = (): void => {
      if (this.now() >= this.#until) task()
      else timer = this.time.after(this.#until - this.now(), run)
    }
    let timer = this.time.after(ms, run)
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
  }

  async stall(ms: Millis): Promise<void> {
    this.#until = this.now() + ms
    await this.time.advanceAsync(ms)
  }
}

for (const what of ['a prompt', 'a room'])
  for (const codec of ['PCMA', 'G722'] as const)
    test(`${what} in ${codec} stays with real time, however often the engine stands still`, async () => {
      const clock = new StallingClock()
      await using rig = await openRig({ clock })
      const a = party(rig, '198.51.100.1', { codec, payloadType: codec === 'PCMA' ? 8 : 9 })
      if (what === 'a room') a.endpoint.mix('room', {})
      else a.endpoint.play([{ kind: 'tone', tone: 'dial' }])
      await clock.time.advanceAsync(1000)
      const heard = a.phone.take()
      const [first] = heard
      assert.ok(first !== undefined && heard.length >= 49)
      const begunAt = clock.now() - (heard.length - 1) * 20
      for (const ms of [30, 100, 219, 150, 300, 1000, 219, 10_000, 245, 245, 90, 90]) {
        await clock.stall(ms)
        await clock.time.advanceAsync(201)
        heard.push(...a.phone.take())
        const behind: number = clock.now() - begunAt - ((heard.at(-1)?.timestamp ?? 0) - first.timestamp) / 8
        assert.ok(behind >= 0 && behind < 21, `${behind} ms behind after a stall of ${ms} ms`)
      }
      const [sequences, leaps] = [steps(heard).map(([sequence]) => sequence), steps(heard).filter(([, ms]) => ms !== 20)]
      assert.ok(sequences.every((sequence) => sequence === 1))
      assert.ok(leaps.length === 5 && leaps.every(([, ms, marker]) => ms >= 220 && marker), JSON.stringify(leaps))
    })

test('a room that was on hold goes on at the time that passed, marked', async () => {
  await using rig = await openRig()
  const a = party(rig, '198.51.100.1')
  a.endpoint.mix('room', {})
  rig.clock.advance(100)
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'sendonly' }))
  a.endpoint.aim(streamTo(a.phone.address, { direction: 'inactive' }))
  rig.clock.advance(60_000)
  a.endpoint.aim(streamTo(a.phone.address))
  rig.clock.advance(40)
  const leaps = steps(a.phone.take()).filter(([, ms]) => ms !== 20)
  assert.deepEqual(leaps, [[1, 60_020, true]])
})

test('after digits the timestamps of what follows say when it was sent', async () => {
  await using rig = await openRig()
  const [a, b] = [party(rig, '198.51.100.1'), party(rig, '198.51.100.2')]
  a.endpoint.join(b.endpoint)
  say(rig, a, 2)
  const [first] = b.phone.take()
  const begunAt = rig.clock.now() - 20
  for (let n = 1; n <= 3; n++) {
    b.endpoint.sendDtmf('123')
    say(rig, a, 100)
    const last = b.phone.take().at(-1)
    assert.ok(first !== undefined && last !== undefined && last.payloadType === 8)
    assert.equal((last.timestamp - first.timestamp) / 8, rig.clock.now() - begunAt, `after ${n * 3} digits`)
  }
})
