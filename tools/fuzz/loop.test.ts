import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FuzzHost, type FuzzReport, fuzz } from '#tools/fuzz/loop.ts'
import { mutated, SeededDice } from '#tools/fuzz/mutate.ts'
import { type FuzzTarget, MAX_INPUT_BYTES } from '#tools/fuzz/target.ts'

/** A machine on which time stands still unless a target spends it. */
class StillHost implements FuzzHost {
  time = 0
  live = 0
  last: Uint8Array = new Uint8Array(0)
  now(): number {
    return this.time
  }
  liveBytes(): number {
    return this.live
  }
  about(input: Uint8Array): void {
    this.last = input
  }
}

function attack(run: (bytes: Uint8Array, host: StillHost) => string, executions = 5500): { report: FuzzReport; host: StillHost } {
  const host = new StillHost()
  const target: FuzzTarget = { name: 'x', seeds: () => [Buffer.from('a=1;b=2\r\n')], run: (bytes) => run(bytes, host) }
  return { report: fuzz(target, 1, host, (done) => done >= executions), host }
}

test('a parser that keeps its promises passes', () => {
  const { report } = attack((bytes) => String(bytes.length % 7))
  assert.deepEqual(report.failures, [])
  assert.equal(report.outcomes, 7)
})

test('a throw is found, with its input', () => {
  const { report } = attack((bytes) => {
    if (bytes.includes(0x22)) throw new Error('quote')
    return ''
  })
  const [failure] = report.failures
  assert.equal(failure?.kind, 'threw')
  assert.ok(failure.input?.includes(0x22))
})

test('time beyond the limit is found only if it is spent each time', () => {
  const slow = attack((bytes, host) => {
    host.time += bytes.length > 1000 ? 9 : 1
    return ''
  })
  assert.equal(slow.report.failures[0]?.kind, 'slow')
  let calls = 0
  const busy = attack((_, host) => {
    if (++calls % 500 === 0) host.time += 30
    return ''
  })
  assert.deepEqual(busy.report.failures, [])
})

test('growth is found', () => {
  const { report } = attack((_, host) => {
    host.live += 100_000
    return ''
  })
  assert.deepEqual(
    report.failures.map(({ kind }) => kind),
    ['grew'],
  )
})

test('inputs that bring a new answer are changed further, so that deep places are reached', () => {
  // Nothing in the seed or the dictionary holds a run of these: each step is found only from the one before.
  const steps = ['==', '===', '====', '=====']
  const { report } = attack((bytes) => steps.filter((step) => Buffer.from(bytes).includes(step)).at(-1) ?? '', 3000)
  assert.equal(report.outcomes, 5)
})

test('the same seed gives the same inputs, none above one datagram', () => {
  const inputs = (seed: number): string[] => {
    const dice = new SeededDice(seed)
    return Array.from({ length: 500 }, () => mutated([Buffer.from('INVITE sip:a@b SIP/2.0\r\nl: 5\r\n')], dice).toString('latin1'))
  }
  assert.deepEqual(inputs(7), inputs(7))
  assert.notDeepEqual(inputs(7), inputs(8))
  assert.ok(inputs(9).every((input) => input.length <= MAX_INPUT_BYTES))
})
