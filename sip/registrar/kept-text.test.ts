import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow } from '#sip/agent.ts'
import { keptText, keptTexts } from '#sip/registrar/kept-text.ts'
import { Registrar, type RegisterWish } from '#sip/registrar/registrar.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const udp: Flow = {
  transport: 'udp',
  local: { address: '10.0.0.1', port: 5060 },
  remote: { address: '10.0.0.7', port: 5060 },
  connection: null,
}

test('a binding keeps nothing of the messages that made and refreshed it', () => {
  const clock = new VirtualClock(1_000_000)
  const wheel = new TimerWheel(clock)
  const registrar = new Registrar({ now: () => clock.now(), wall: () => clock.wall(), after: (ms, task) => wheel.after(ms, task) }, {})
  const size = 50_000
  const count = 200
  const heldBefore = held()
  // Of each address every text comes once, the contact again and the others anew.
  for (let cseq = 1; cseq <= 3; cseq++) for (let i = 0; i < count; i++) registrar.register(wishOf(`${i}@town.example`, cseq, size))
  assert.equal(registrar.size, count)
  assert.ok(held() - heldBefore < (count * size) / 5)
  assert.deepEqual(registrar.bindingsOf('7@town.example')[0]?.path, ['<sip:proxy-number-3.example;lr>'])
})

test('what a binding has already is kept, and what is new is taken', () => {
  const path = ['<sip:a.example;lr>', '<sip:b.example;lr>']
  assert.equal(keptTexts([...path], path), path)
  assert.deepEqual(keptTexts(path.slice(1), path), path.slice(1))
  assert.deepEqual(keptTexts([...path, 'c'], path), [...path, 'c'])
  assert.deepEqual(keptTexts([path[0] ?? '', 'c'], path), [path[0], 'c'])
  assert.deepEqual(keptTexts([], path), [])
  assert.equal(keptTexts([], undefined), keptTexts([], undefined))
  assert.deepEqual(
    [
      keptText('a', 'b'),
      keptText('a', 'a'),
      keptText('a', undefined),
      keptText<string | null>(null, 'a'),
      keptText<string | null>('a', null),
    ],
    ['a', 'a', 'a', null, 'a'],
  )
})

/** A wish all whose texts are parts of one message. */
function wishOf(aor: string, cseq: number, size: number): RegisterWish {
  const message = `${Buffer.alloc(size, 'x').toString('latin1')}|sip:201@192.168.100.200:5060|call-id-number-${cseq}|<urn:uuid:${cseq}-instance>|<sip:proxy-number-${cseq}.example;lr>|A telephone, ${cseq}`
  const [, uri = '', callId = '', instance = '', hop = '', userAgent = ''] = message.split('|')
  return {
    aor,
    contacts: [{ uri, key: uri, q: 1, expires: 600, instance, regId: null, outbound: false }],
    ...{ callId, cseq, userAgent },
    flow: udp,
    path: [hop],
  }
}

function held(): number {
  collect()
  return process.memoryUsage().heapUsed
}
