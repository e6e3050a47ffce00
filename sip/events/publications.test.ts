import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { IncomingRequest } from '#sip/agent.ts'
import { type KeptPublication, Publications, type PublishedKind } from '#sip/events/publications.ts'
import { buildRequest } from '#sip/message/build.ts'

const weather: PublishedKind<string> = {
  event: 'weather',
  types: ['text/weather'],
  expires: { least: 60, usual: 600, most: 3_600 },
  read: (text) => (text.startsWith('it is ') ? text.slice(6) : null),
}

interface Answer {
  status: number
  headers: Map<string, string>
}

/** Somebody who takes publications, and a way to send them. */
function office(kept = new Map<string, KeptPublication>(), clock = new VirtualClock(1_800_000_000_000)) {
  const changed: string[] = []
  const publications = new Publications<string>(
    {
      clock,
      random: countingRandom(),
      keep: (id, value) => void (value === null ? kept.delete(id) : kept.set(id, structuredClone(value))),
      changed: (event, publisher) => void changed.push(`${event} of ${publisher}: ${publications.of(publisher)}`),
    },
    weather,
  )
  const publish = (body: string | null, headers: Record<string, string> = {}, publisher = 'mow'): Answer => {
    const answers: Answer[] = []
    const type = body === null ? {} : { 'Content-Type': 'text/weather' }
    const request = buildRequest({
      method: 'PUBLISH',
      uri: 'sip:mow@x',
      headers: Object.entries({ ...type, ...headers }),
      ...(body !== null && { body: Buffer.from(body) }),
    })
    const respond: IncomingRequest['respond'] = (status, _reason, lines) =>
      void answers.push({ status, headers: new Map((lines ?? []).map(([name, value]) => [name, value])) })
    publications.receive({ request, respond } as IncomingRequest, publisher)
    assert.equal(answers.length, 1, 'answered once')
    return answers[0] ?? assert.fail()
  }
  const etagOf = (answer: Answer): string => answer.headers.get('SIP-ETag') ?? assert.fail(`${answer.status} without SIP-ETag`)
  return { clock, kept, publications, changed, publish, etagOf }
}

test('a publication begins, is refreshed, changed and removed, each time under a new entity-tag', () => {
  const { publish, etagOf, publications, changed, clock, kept } = office()
  const begun = publish('it is snowing', { Expires: '120' })
  assert.deepEqual([begun.status, begun.headers.get('Expires'), publications.of('mow')], [200, '120', 'snowing'])
  clock.advance(100_000)
  const refreshed = publish(null, { 'SIP-If-Match': etagOf(begun), Expires: '120' })
  assert.notEqual(etagOf(refreshed), etagOf(begun))
  clock.advance(100_000)
  const told = publish('it is sunny', { 'SIP-If-Match': etagOf(refreshed), Expires: '99999' })
  assert.deepEqual([told.headers.get('Expires'), publications.of('mow')], ['3600', 'sunny'])
  for (const old of [begun, refreshed]) assert.equal(publish(null, { 'SIP-If-Match': etagOf(old) }).status, 412)
  const removed = publish(null, { 'SIP-If-Match': etagOf(told), Expires: '0' })
  assert.deepEqual([removed.status, removed.headers.get('Expires'), publications.of('mow')], [200, '0', null])
  assert.equal(publish(null, { 'SIP-If-Match': etagOf(removed) }).status, 412)
  assert.deepEqual(changed, ['weather of mow: snowing', 'weather of mow: sunny', 'weather of mow: null'], 'a refresh is no news')
  assert.deepEqual([kept.size, clock.pending], [0, 0])
})

test('what is not refreshed is forgotten by its time, and that is told', () => {
  const { publish, etagOf, publications, changed, clock, kept } = office()
  const begun = publish('it is foggy', { Expires: '60' })
  clock.advance(50_000)
  publish(null, { 'SIP-If-Match': etagOf(begun), Expires: '60' })
  clock.advance(59_999)
  assert.equal(publications.of('mow'), 'foggy')
  clock.advance(1)
  assert.deepEqual([publications.of('mow'), changed.at(-1), kept.size, clock.pending], [null, 'weather of mow: null', 0, 0])
})

test('a refresh for a shorter time than was left makes it end sooner', () => {
  const { publish, etagOf, publications, clock } = office()
  const begun = publish('it is late', { Expires: '3600' })
  publish(null, { 'SIP-If-Match': etagOf(begun), Expires: '60' })
  clock.advance(60_000)
  assert.deepEqual([publications.of('mow'), clock.pending], [null, 0])
})

test('each refusal has its status: too brief, nothing in it, of another type, unreadable, too large, unknown entity-tag', () => {
  const { publish, etagOf, publications, kept } = office()
  const brief = publish('it is dark', { Expires: '59' })
  assert.deepEqual([brief.status, brief.headers.get('Min-Expires')], [423, '60'])
  assert.equal(publish(null).status, 400)
  const strange = publish('it is dark', { 'Content-Type': 'text/plain' })
  assert.deepEqual([strange.status, strange.headers.get('Accept')], [415, 'text/weather'])
  assert.equal(publish('dark').status, 400)
  assert.equal(publish(`it is ${'d'.repeat(20_000)}`).status, 413)
  assert.equal(publish('it is dark', { 'SIP-If-Match': 'made-up' }).status, 412)
  assert.equal(kept.size, 0)
  const etag = etagOf(publish('it is dark'))
  assert.equal(publish('it is light', { 'SIP-If-Match': etag }, 'kgd').status, 412, 'nobody changes what another published')
  assert.equal(publications.of('mow'), 'dark')
})

test('what was said last counts; of five publications of one publisher the oldest gives way; one without life is told and not kept', () => {
  const { publish, etagOf, publications, kept } = office()
  const tags = ['one', 'two', 'three', 'four', 'five'].map((word) => etagOf(publish(`it is ${word}`)))
  assert.deepEqual([kept.size, publications.of('mow')], [4, 'five'])
  assert.equal(publish(null, { 'SIP-If-Match': tags[0] ?? '' }).status, 412)
  const refreshed = publish(null, { 'SIP-If-Match': tags[2] ?? '' })
  assert.equal(publications.of('mow'), 'five', 'to refresh is not to say it again')
  publish('it is three', { 'SIP-If-Match': etagOf(refreshed) })
  assert.equal(publications.of('mow'), 'three')
  assert.deepEqual([publish('it is over', { Expires: '0' }).status, kept.size, publications.of('mow')], [200, 4, 'three'])
})

test('publications outlive the process: their tags hold, and what has expired meanwhile is forgotten', () => {
  const before = office()
  const long = before.etagOf(before.publish('it is warm', { Expires: '600' }))
  before.publish('it is cold', { Expires: '60' }, 'kgd')
  before.publications.close()
  const after = office(before.kept, new VirtualClock(1_800_000_300_000))
  after.publications.adopt([...before.kept.values()])
  assert.deepEqual([after.publications.of('mow'), after.publications.of('kgd'), after.kept.size], ['warm', null, 1])
  assert.equal(after.publish(null, { 'SIP-If-Match': long }).status, 200)
  after.publications.examine(() => false)
  assert.deepEqual([after.publications.of('mow'), after.kept.size, after.clock.pending], [null, 0, 0])
})

test('whatever comes in whatever order, nothing is left when all time has passed', () => {
  const step = fc.record({
    body: fc.option(fc.constantFrom('it is a', 'it is b', 'no')),
    tag: fc.nat(12),
    match: fc.boolean(),
    expires: fc.constantFrom('0', '30', '60', '5000'),
    pass: fc.nat(90_000),
    by: fc.constantFrom('mow', 'kgd'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { publish, clock, kept, publications } = office()
      const tags: string[] = ['none']
      for (const { body, tag, match, expires, pass, by } of steps) {
        const answer = publish(body, { Expires: expires, ...(match && { 'SIP-If-Match': tags[tag % tags.length] ?? '' }) }, by)
        if (answer.status === 200) tags.push(answer.headers.get('SIP-ETag') ?? '')
        clock.advance(pass)
      }
      clock.advance(3_600_000)
      assert.deepEqual([kept.size, clock.pending, publications.of('mow'), publications.of('kgd')], [0, 0, null, null])
    }),
  )
})
