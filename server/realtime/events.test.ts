import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Fact } from '#contract/facts.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { LiveCalls } from '#server/calls/live-calls.ts'
import { compile } from '#server/config/compile.ts'
import { documentsOf, smallCompany } from '#server/config/testing.ts'
import { Books } from '#server/dialplan/books.ts'
import { EventStream } from '#server/realtime/events.ts'
import { type Line, Outbox } from '#server/realtime/outbox.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'
import { TrunkBoard } from '#server/trunks/trunk-board.ts'
import { Registrar } from '#sip/registrar/registrar.ts'

/** A browser that reads, or does not. */
class Listener implements Line {
  bufferedAmount = 0
  readonly heard: unknown[] = []
  closed: number | null = null
  send(text: string): void {
    this.heard.push(JSON.parse(text))
  }
  close(code: number): void {
    this.closed = code
  }
}

function stream() {
  const clock = new VirtualClock()
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config: compile(documentsOf(smallCompany).documents) })
  const nowhere = {
    sip: { request: () => Promise.reject(new Error('no trunk is asked')) },
    locator: { resolve: () => Promise.resolve([]) },
  }
  const trunks = new TrunkBoard({
    clock,
    log: silentLog,
    random: countingRandom(),
    tell: () => undefined,
    ourHost: () => 'us',
    shared: new SharedSources([]),
    ...nowhere,
  })
  const registrar = new Registrar(clock, { onBound: () => undefined, onUnbound: () => undefined })
  const log = new CallLog()
  const events = new EventStream({ exchange: { books, trunks, registrar, live: new LiveCalls(), conferences: { find: () => null } }, log })
  const join = (tenant = 'acme') => {
    const listener = new Listener()
    const joined = events.join(tenant, new Outbox(listener, () => joined[Symbol.dispose]()))
    return { listener, leave: () => joined[Symbol.dispose]() }
  }
  const hear = (fact: Fact) => {
    log.hear(fact)
    events.hear(fact)
  }
  return { events, join, hear }
}

const up = (seq: number, tenant = 'acme'): Fact => ({ kind: 'trunk.went-up', tenant, seq, at: seq, trunk: 'one' })

test('a listener gets a snapshot first, then every fact once, in order', () => {
  const { join, hear } = stream()
  hear(up(1))
  const { listener } = join()
  hear(up(2))
  hear(up(3))
  const [snapshot, ...facts] = listener.heard as [{ kind: string; company: { name: string }; extensions: unknown[] }, ...{ fact: Fact }[]]
  assert.equal(snapshot.kind, 'snapshot')
  assert.equal(snapshot.company.name, 'Acme')
  assert.equal(snapshot.extensions.length, 3)
  assert.deepEqual(
    facts.map(({ fact }) => fact.seq),
    [2, 3],
  )
})

test('a company hears nothing of another', () => {
  const { join, hear } = stream()
  const { listener } = join()
  hear(up(1, 'other'))
  assert.equal(listener.heard.length, 1)
})

test('a listener who falls behind is told to come again, and holds up nobody', () => {
  const { events, join, hear } = stream()
  const [slow, quick] = [join(), join()]
  slow.listener.bufferedAmount = 2_000_000
  hear(up(1))
  hear(up(2))
  assert.deepEqual(slow.listener.heard.slice(1), [{ kind: 'resync' }])
  assert.equal(slow.listener.closed, 1013)
  assert.equal(quick.listener.heard.length, 3)
  assert.equal(events.size, 1)
})

test('who has left is told nothing more, and nothing of it remains', () => {
  const { events, join, hear } = stream()
  const { listener, leave } = join()
  leave()
  leave()
  hear(up(1))
  assert.equal(listener.heard.length, 1)
  assert.equal(events.size, 0)
})

test('a company without a configuration has an empty snapshot under its id', () => {
  const { join } = stream()
  const [snapshot] = join('beta').listener.heard as [{ company: unknown; trunks: unknown[] }]
  assert.deepEqual(snapshot.company, { id: 'beta', name: 'beta', timezone: 'UTC', number: null })
  assert.deepEqual(snapshot.trunks, [])
})
