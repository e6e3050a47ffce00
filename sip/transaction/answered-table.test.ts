import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Flow } from '#sip/agent.ts'
import { KeptBytes } from '#sip/kept-bytes.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { AnsweredTable, NOWHERE } from '#sip/transaction/answered-table.ts'
import { mergeKey, serverKey } from '#sip/transaction/keys.ts'
import { exactHash, ServerName } from '#sip/transaction/server-name.ts'

interface Parts {
  callId: string
  branch: string
  sentBy: string
  method: string
  tag: string
  seq: number
}

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

function requestOf(is: Parts): SipRequest {
  return buildRequest({
    method: is.method,
    uri: 'sip:example.com',
    headers: [
      ['Via', `SIP/2.0/UDP ${is.sentBy}${is.branch}`],
      ['From', `<sip:a@example.com>${is.tag}`],
      ['To', '<sip:b@example.com>'],
      ['Call-ID', is.callId],
      ['CSeq', `${is.seq} ${is.method}`],
    ],
  })
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
  readonly exact: number
  readonly seq: number | null
  readonly key: string
  readonly merge: string | null
  readonly bytes: string
  readonly until: number
  readonly isProved: boolean
  repeats: number
}

/** Of those that are alike there are so many at the most, and of one Call-ID. */
function forgetFirst(model: Entry[], coming: Entry): void {
  const others = model.filter(({ callId }) => callId === coming.callId)
  const alike = others.filter(({ exact, seq }) => exact === coming.exact || (seq !== null && seq === coming.seq))
  const gone = alike.at(-8) ?? others.at(-64)
  if (gone !== undefined) model.splice(model.indexOf(gone), 1)
}

test('answered requests, and copies of them, are found by all of their name, and end in their order or before their time', () => {
  const more = { merges: fc.boolean(), isProved: fc.boolean(), bytes: fc.string({ maxLength: 40 }) }
  const step = fc.record({ ...part, ...more, what: fc.constantFrom('add', 'add', 'add', 'add', 'repeat', 'end', 'end oldest') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const table = new AnsweredTable(new KeptBytes(), 1_000)
      const model: Entry[] = []
      for (const [until, { what, merges, isProved, bytes, ...is }] of steps.entries()) {
        const request = requestOf(is)
        const index = model.findIndex(({ key }) => key === serverKey(request))
        const known = model[index]
        const place = table.find(request)
        assert.equal(place === NOWHERE, known === undefined)
        if (what === 'add' && known === undefined) {
          const name = ServerName.of(request, is.callId, { merges, source: '192.0.2.1' })
          table.add(name, { bytes: Buffer.from(bytes), flow, until, isProved, repeats: 1 })
          const merge = merges ? mergeKey(request) : null
          const known = { callId: is.callId, exact: exactHash(request), seq: merges ? is.seq : null, key: serverKey(request), merge }
          const entry = { ...known, bytes, until, isProved, repeats: 1 }
          forgetFirst(model, entry)
          model.push(entry)
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
          table.endOldest()
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

function numbered(i: number): SipRequest {
  return requestOf({ callId: `call-${i}`, branch: `;branch=z9hG4bK-${i}`, sentBy: '192.0.2.1', method: 'OPTIONS', tag: ';tag=1', seq: 1 })
}

test('it grows up to what it may hold, where the oldest goes for the youngest, and all can be found however often it went round', () => {
  const table = new AnsweredTable(new KeptBytes(), 1_000)
  for (let i = 0; i < 10_000; i++) {
    const request = numbered(i)
    const name = ServerName.of(request, `call-${i}`, { merges: true, source: '192.0.2.1' })
    table.add(name, { bytes: Buffer.from(`answer ${i}`), flow, until: i, isProved: i % 2 === 0, repeats: 0 })
    // A gap in the ring now and then.
    if (i % 10 === 5) table.end(table.find(numbered(i - 3)))
  }
  const left = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => table.find(numbered(i)) !== NOWHERE)
  assert.equal(table.size, left.length)
  assert.ok(left.length > 900 && left.length <= 1_024)
  assert.ok(left.every((i) => i >= 10_000 - 1_024 && Buffer.from(table.bytes(table.find(numbered(i)))).toString() === `answer ${i}`))
  assert.equal(table.endsAt, left[0])
  assert.ok(left.every((i) => table.hasCopyOf(numbered(i))))
  table.clear()
  assert.deepEqual([table.size, table.strangers, table.endsAt, table.find(numbered(9_999))], [0, 0, Number.POSITIVE_INFINITY, NOWHERE])
})
