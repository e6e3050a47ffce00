import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { silentLog } from '#base/log.ts'
import { systemClock } from '#base/clock.ts'
import type { NewFact } from '#contract/facts.ts'
import { factSink, openHistory } from '#server/history/index.ts'
import { BadCursorError } from '#server/store/index.ts'
import { JournalDrain, openJournal } from '#server/journal/index.ts'
import { testStore } from '#server/store/testing.ts'

function answeredCall(tenant: string, call: string, name = 'Anna'): NewFact[] {
  const common = { tenant, call }
  const outcome = { kind: 'answered', by: 'caller' } as const
  return [
    {
      kind: 'call.started',
      ...common,
      direction: 'inbound',
      from: { number: '+79161234567', name },
      to: { number: '+74951112233' },
      config: 3,
    },
    { kind: 'leg.started', ...common, leg: 'a', role: 'caller', endpoint: { kind: 'trunk', id: 'carrier', number: '+79161234567' } },
    {
      kind: 'leg.started',
      ...common,
      leg: 'b',
      role: 'callee',
      endpoint: { kind: 'device', id: 'phone-100', number: '100', person: 'olga' },
    },
    { kind: 'leg.ringing', ...common, leg: 'b', earlyMedia: false },
    { kind: 'leg.answered', ...common, leg: 'b' },
    { kind: 'leg.ended', ...common, leg: 'b', outcome },
    { kind: 'leg.ended', ...common, leg: 'a', outcome },
    { kind: 'call.ended', ...common, outcome },
  ]
}

async function rig(gatherMs = 1) {
  const box = await testStore(['alfa', 'beta'])
  const folder = await mkdtemp(join(tmpdir(), 'centrala-journal-'))
  const clock = new VirtualClock(Date.parse('2026-03-02T10:00:00Z'))
  const journal = await openJournal({ folder, clock, log: silentLog })
  const refused: string[] = []
  const sink = factSink({ store: box.store, log: silentLog, onRefused: (fact) => refused.push(fact.kind) })
  const history = openHistory(box.store, clock)
  const drain = () => new JournalDrain({ journal, sink, clock: systemClock, log: silentLog, gatherMs })
  const close = async () => {
    await journal.close()
    await box[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
  return { ...box, clock, journal, sink, history, drain, refused, [Symbol.asyncDispose]: close }
}

describe('draining facts', () => {
  test('a call becomes one row and a timeline, and drains again without a change', async () => {
    await using r = await rig()
    for (const fact of answeredCall('alfa', 'c1')) {
      r.journal.append(fact)
      r.clock.advance(1_000)
    }
    const read = await r.journal.read(0, 1e9)
    const all = { ...read, json: Buffer.from(read.json) }
    await r.drain().close()
    const [row] = (await r.history.calls('alfa', {})).calls
    assert.ok(row)
    assert.equal(row.talkMs, 3_000)
    assert.equal(row.ringMs, 1_000)
    assert.equal(row.trunk, 'carrier')
    assert.equal(row.answeredBy?.person, 'olga')
    assert.equal(row.missed, false)
    await r.sink.write(all)
    assert.deepEqual((await r.history.calls('alfa', {})).calls, [row])
    assert.deepEqual(await r.history.timeline('alfa', 'c1'), all.facts)
    assert.equal(r.journal.health().undrained, 0)
  })

  test('a fact that comes long after its call changes the row of that call', async () => {
    await using r = await rig()
    for (const fact of answeredCall('alfa', 'c1')) r.journal.append(fact)
    await r.drain().close()
    r.journal.append({ kind: 'recording.ended', tenant: 'alfa', call: 'c1', recording: 'rec1', ms: 5, bytes: 6 })
    await r.drain().close()
    assert.deepEqual((await r.history.call('alfa', 'c1'))?.recordings, ['rec1'])
  })

  test('texts that PostgreSQL cannot hold are made storable and hold up nothing', async () => {
    await using r = await rig()
    for (const fact of answeredCall('alfa', 'c1', 'a\0b\ud800')) r.journal.append(fact)
    for (const fact of answeredCall('alfa', 'c2')) r.journal.append(fact)
    await r.drain().close()
    assert.equal((await r.history.call('alfa', 'c1'))?.from.name, 'a\uFFFDb\uFFFD')
    assert.equal((await r.history.calls('alfa', {})).calls.length, 2)
    assert.deepEqual(r.refused, [])
  })

  test('one company never sees the other one in lists, by id or in timelines', async () => {
    await using r = await rig()
    for (const tenant of ['alfa', 'beta']) for (const fact of answeredCall(tenant, `call-${tenant}`)) r.journal.append(fact)
    await r.drain().close()
    assert.deepEqual(
      (await r.history.calls('alfa', {})).calls.map((c) => c.id),
      ['call-alfa'],
    )
    assert.equal(await r.history.call('alfa', 'call-beta'), null)
    assert.deepEqual(await r.history.timeline('alfa', 'call-beta'), [])
  })

  test('facts wait while the database is away and all arrive when it is back', async () => {
    await using r = await rig()
    const drain = r.drain()
    process.kill(r.postgres.pid, 'SIGKILL')
    for (let i = 0; i < 50; i++) for (const fact of answeredCall('alfa', `c${i}`)) r.journal.append(fact)
    const back = Promise.withResolvers<void>()
    using _back = r.store.onChange((health) => health.state === 'ready' && back.resolve())
    await r.store.forTenant('alfa', async () => 1).catch(() => undefined)
    await back.promise
    drain.wake()
    await drain.close()
    assert.equal(r.journal.health().undrained, 0)
    assert.equal((await r.history.calls('alfa', { limit: 500 })).calls.length, 50)
  })
})

describe('asking the history', () => {
  test('pages follow one another without gap or repetition, and filters narrow', async () => {
    await using r = await rig()
    for (let i = 0; i < 25; i++) {
      for (const fact of answeredCall('alfa', `c${i}`, `Name ${i}`)) r.journal.append(fact)
      if (i % 3 === 0) r.clock.advance(1)
    }
    await r.drain().close()
    const seen: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await r.history.calls('alfa', { limit: 4, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.calls.map((call) => call.id))
      cursor = page.next
    }
    assert.equal(new Set(seen).size, 25)
    assert.equal(seen.length, 25)
    const count = async (query: object) => (await r.history.calls('alfa', { limit: 500, ...query })).calls.length
    assert.equal(await count({ text: 'NAME 24' }), 1)
    assert.equal(await count({ participant: 'olga' }), 25)
    assert.equal(await count({ participant: 'nobody' }), 0)
    assert.equal(await count({ missed: true }), 0)
    assert.equal(await count({ recorded: false, direction: 'inbound', outcome: 'answered' }), 25)
    assert.equal(await count({ to: r.clock.wall() - 60_000 }), 0)
    for (const cursor of ['', 'x', Buffer.from('[1,2]').toString('base64url')])
      await assert.rejects(r.history.calls('alfa', { cursor }), BadCursorError)
  })
})
