import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Flow } from '#sip/agent.ts'
import { KeptBytes } from '#sip/kept-bytes.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { NOWHERE } from '#sip/transaction/answered-columns.ts'
import { AnsweredTable } from '#sip/transaction/answered-table.ts'
import { mergeKey, serverKey } from '#sip/transaction/keys.ts'
import { requestOf } from '#sip/transaction/named-request.ts'
import { ServerName } from '#sip/transaction/server-name.ts'

const part = {
  callId: fc.constantFrom('a@host.of.a.long.name', 'b', 'żółw@例え'),
  branch: fc.oneof(
    fc.constantFrom(
      ';branch=z9hG4bK-1-of-a-length',
      ';branch=z9hG4bK-2',
      ';branch=z9hG4bKżó',
      '',
      ';branch=1',
      `;branch=z9hG4bK-\udcff-no-utf-8-\udc80`,
    ),
    fc.nat(99).map((n) => `;branch=z9hG4bK-of-a-length-${n}`),
  ),
  sentBy: fc.constantFrom('192.0.2.1', '192.0.2.1:5062'),
  method: fc.constantFrom('OPTIONS', 'X'),
  tag: fc.constantFrom('', ';tag=1', ';tag=of-a-length-to-be-kept'),
  seq: fc.nat(30),
}

const flow: Flow = {
  transport: 'udp',
  local: { address: '192.0.2.9', port: 5060 },
  remote: { address: '192.0.2.1', port: 5060 },
  connection: null,
}

/** What the table is to hold, the oldest first. */
interface Entry {
  readonly callId: string
  readonly key: string
  readonly merge: string | null
  readonly bytes: string
  readonly until: number
  readonly isProved: boolean
  repeats: number
}

test('answered requests, and copies of them, are found by all of their name, and end in their order or before their time', () => {
  const more = { merges: fc.boolean(), isProved: fc.boolean(), bytes: fc.string({ maxLength: 40 }) }
  const step = fc.record({ ...part, ...more, what: fc.constantFrom('add', 'add', 'add', 'add', 'repeat', 'end', 'end oldest') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const table = new AnsweredTable(new KeptBytes())
      const model: Entry[] = []
      for (const [until, { what, merges, isProved, bytes, ...is }] of steps.entries()) {
        const request = requestOf(is)
        const index = model.findIndex(({ key }) => key === serverKey(request))
        const known = model[index]
        const place = table.find(request)
        assert.equal(place === NOWHERE, known === undefined)
        if (what === 'add' && known === undefined) {
          const name = new ServerName(request, is.callId, { merges, source: '192.0.2.1' })
          table.add(name, { bytes: Buffer.from(bytes), flow, until, isProved, repeats: 1 })
          const merge = merges ? mergeKey(request) : null
          // Of one Call-ID the last 64.
          const gone = model.filter(({ callId }) => callId === is.callId).at(-64)
          if (gone !== undefined) model.splice(model.indexOf(gone), 1)
          model.push({ callId: is.callId, key: serverKey(request), merge, bytes, until, isProved, repeats: 1 })
        } else if (what === 'repeat' && known !== undefined) {
          assert.equal(table.repeated(place), ++known.repeats)
          assert.deepEqual([Buffer.from(table.bytes(place)).toString(), table.callId(place)], [known.bytes, is.callId])
          assert.equal(table.flow(place), flow)
        } else if (what === 'end' && known !== undefined) {
          table.end(place)
          // Once more changes nothing.
          table.end(place)
          model.splice(index, 1)
        } else if (what === 'end oldest') {
          table.end(table.oldest)
          model.shift()
        }
        assert.equal(
          table.hasCopyOf(request),
          model.some(({ merge }) => merge === mergeKey(request)),
        )
        assert.deepEqual([table.size, table.strangers], [model.length, model.filter((entry) => !entry.isProved).length])
        assert.equal(table.endsAt, model[0]?.until ?? Number.POSITIVE_INFINITY)
      }
    }),
    { numRuns: 200 },
  )
})

const ordinary = { sentBy: '192.0.2.1', method: 'OPTIONS', tag: ';tag=1', seq: 1 }

function numbered(i: number): SipRequest {
  return requestOf({ ...ordinary, callId: `call-${i}`, branch: `;branch=z9hG4bK-${i}` })
}

test('all that were added are found until they end, however many come and go, and nothing is left of who is gone', () => {
  const table = new AnsweredTable(new KeptBytes())
  for (let i = 0; i < 10_000; i++) {
    const request = numbered(i)
    const name = new ServerName(request, `call-${i}`, { merges: true, source: '192.0.2.1' })
    table.add(name, { bytes: Buffer.from(`answer ${i}`), flow, until: i, isProved: i % 2 === 0, repeats: 0 })
    if (i >= 1_000 && i % 2 === 0) table.end(table.oldest)
    // Out of its turn now and then.
    if (i % 10 === 5) table.end(table.find(numbered(i - 3)))
  }
  const left = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => table.find(numbered(i)) !== NOWHERE)
  assert.equal(table.size, left.length)
  assert.ok(left.length > 4_000)
  assert.ok(left.every((i) => Buffer.from(table.bytes(table.find(numbered(i)))).toString() === `answer ${i}`))
  assert.equal(table.endsAt, left[0])
  assert.ok(left.every((i) => table.hasCopyOf(numbered(i))))
  for (const i of left) table.end(table.find(numbered(i)))
  assert.deepEqual([table.size, table.strangers, table.oldest, table.endsAt], [0, 0, NOWHERE, Number.POSITIVE_INFINITY])
})

test('who asks again and again under one Call-ID has the last answers again, and takes none of the others', () => {
  const table = new AnsweredTable(new KeptBytes())
  const add = (request: SipRequest): void => {
    const name = new ServerName(request, request.headers.callId, { merges: false, source: '192.0.2.1' })
    table.add(name, { bytes: Buffer.from('answer'), flow, until: 0, isProved: false, repeats: 0 })
  }
  // Branches that differ far from their ends, as those of some senders do.
  const of = (i: number): SipRequest => requestOf({ ...ordinary, callId: 'one', branch: `;branch=z9hG4bK-${i}-1---d8754z-`, seq: i })
  for (let i = 0; i < 100; i++) add(numbered(i))
  for (let i = 0; i < 10_000; i++) add(of(i))
  assert.equal(table.size, 164)
  for (let i = 0; i < 100; i++) assert.notEqual(table.find(numbered(i)), NOWHERE)
  for (let i = 10_000 - 64; i < 10_000; i++) assert.notEqual(table.find(of(i)), NOWHERE)
  assert.equal(table.find(of(10_000 - 65)), NOWHERE)
})
