import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { CallView } from '#contract/api/calls.ts'
import type { ConferenceView, MonitorView } from '#contract/api/rooms.ts'
import type { Fact } from '#contract/facts.ts'
import { hear, Office } from '#test/rooms/office.ts'

let office: Office

before(async () => {
  office = await Office.start()
})
after(() => office[Symbol.asyncDispose]())

const weekly = (): Promise<ConferenceView> => office.at.api.get('/v1/conferences/weekly')

/** The call that a phone is in. */
async function callOf(number: string): Promise<CallView> {
  const { calls } = await office.at.api.get<{ calls: CallView[] }>('/v1/calls/live')
  const call = calls.find(({ legs }) => legs.some(({ endpoint, endedAt }) => endpoint.number === number && endedAt === null))
  assert.ok(call !== undefined, `${number} is in no call`)
  return call
}

test('three come into a conference by its PIN; each hears the others and not itself, muted or not, over the death of the server', async () => {
  const { at } = office
  const mark = at.facts.mark
  using one = await office.calls('100', '800')
  await one.call.press('1234')
  await at.facts.next('conference.refused', ({ why }) => why === 'wrong-pin', mark)
  await one.call.press('4711')
  await at.facts.next('conference.joined', ({ moderator }) => !moderator, mark)
  using two = await office.calls('101', '800')
  await two.call.press('4711#')
  using three = await office.calls('102', '800')
  await three.call.press('9911')
  await at.facts.next('conference.joined', ({ moderator }) => moderator, mark)
  await hear([one, ['101', '102']], [two, ['100', '102']], [three, ['100', '101']])

  const { members } = await weekly()
  assert.deepEqual(
    members.map(({ number, moderator, muted }) => [number, moderator, muted]),
    [
      ['100', false, false],
      ['101', false, false],
      ['102', true, false],
    ],
  )
  const leg = members[1]?.leg ?? ''
  await at.api.give('PATCH', `/v1/conferences/weekly/members/${leg}`, { muted: true })
  await hear([one, ['102']], [two, ['100', '102']], [three, ['100']])
  await three.call.press('*5')
  await at.facts.next('conference.locked', ({ locked }) => locked, mark)

  await office.killServer(/"isLocked":true/)
  await hear([one, ['102']], [two, ['100', '102']], [three, ['100']])
  const again = await weekly()
  assert.equal(again.locked, true)
  assert.deepEqual(
    again.members
      .map(({ number, moderator, muted }) => [number, moderator, muted])
      .toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    [
      ['100', false, false],
      ['101', false, true],
      ['102', true, false],
    ],
  )
  await two.call.press('*6')
  await hear([one, ['101', '102']], [two, ['100', '102']], [three, ['100', '101']])

  await at.api.give('DELETE', `/v1/conferences/weekly/members/${leg}`)
  await two.call.ended()
  await hear([one, ['102']], [three, ['100']])
  await three.call.press('*9')
  await Promise.all([one.call.ended(), three.call.ended()])
  assert.deepEqual((await weekly()).members, [])
  assert.equal((await weekly()).locked, false)
})

test('somebody is called into a conference; whoever does not exist cannot be, and an empty room is not locked', async () => {
  using one = await office.calls('100', '801')
  const answering = office.answers('101')
  await office.at.api.give('POST', '/v1/conferences/open/members', { to: '101' })
  using two = await answering
  await hear([one, ['101']], [two, ['100']])
  await one.call.bye()
  await two.call.bye()
  assert.equal((await office.at.api.ask('POST', '/v1/conferences/open/members', { to: '999' })).status, 400)
  assert.equal((await office.at.api.ask('PATCH', '/v1/conferences/open', { locked: true })).status, 409)
})

test('a supervisor listens, whispers by a key and barges in by the API, over the death of the server; then the two are alone again', async () => {
  const { api } = office.at
  const [customer, agent] = await office.talk('100', '101')
  using _customer = customer
  using _agent = agent
  await hear([customer, ['101']], [agent, ['100']])
  const { id } = await callOf('101')
  const ringing = office.answers('200')
  const begun = await api.give<{ id: string }>('POST', `/v1/calls/${id}/monitors`, { by: '200', agent: '101', mode: 'listen' })
  using supervisor = await ringing
  await hear([customer, ['101']], [agent, ['100']], [supervisor, ['100', '101']])
  await supervisor.call.press('5')
  await hear([customer, ['101']], [agent, ['100', '200']], [supervisor, ['100', '101']])
  await api.give('PATCH', `/v1/monitors/${begun.id}`, { mode: 'barge' })
  await hear([customer, ['101', '200']], [agent, ['100', '200']], [supervisor, ['100', '101']])

  await office.killServer(/"mode":"barge"/)
  await hear([customer, ['101', '200']], [agent, ['100', '200']], [supervisor, ['100', '101']])
  const { monitors } = await api.get<{ monitors: MonitorView[] }>('/v1/monitors')
  assert.deepEqual(monitors, [{ id: begun.id, call: id, by: '200', agent: '101', mode: 'barge' }])
  await supervisor.call.press('4')
  await hear([customer, ['101']], [agent, ['100']], [supervisor, ['100', '101']])

  await supervisor.call.bye()
  await hear([customer, ['101']], [agent, ['100']])
  await customer.call.bye()
  await agent.call.ended()
  const timeline = await api.get<{ facts: Fact[] }>(`/v1/calls/${id}/timeline`)
  assert.deepEqual(
    timeline.facts.flatMap((fact) => {
      if (fact.kind === 'monitor.started') return [[fact.kind, fact.by, fact.agent, fact.mode, fact.told]]
      if (fact.kind === 'monitor.changed') return [[fact.kind, fact.by, fact.mode]]
      return fact.kind === 'monitor.ended' ? [[fact.kind, fact.by]] : []
    }),
    [
      ['monitor.started', '200', '101', 'listen', false],
      ['monitor.changed', '200', 'whisper'],
      ['monitor.changed', '200', 'barge'],
      ['monitor.changed', '200', 'listen'],
      ['monitor.ended', '200'],
    ],
  )
})

test('who may not listen is told so, and no phone rings', async () => {
  const { api } = office.at
  const [customer, agent] = await office.talk('100', '101')
  using _customer = customer
  using _agent = agent
  const { id } = await callOf('101')
  const ask = (by: string, whom: string) => api.ask('POST', `/v1/calls/${id}/monitors`, { by, agent: whom, mode: 'listen' })
  assert.equal((await ask('102', '101')).status, 403)
  assert.equal((await ask('200', '100')).status, 403)
  assert.equal((await ask('200', '102')).status, 404)
  await customer.call.bye()
  await agent.call.ended()
})

test('somebody who asks a third brings all three together; when that one leaves, the two others talk on', async () => {
  const { api } = office.at
  const [one, two] = await office.talk('100', '101')
  using _one = one
  using _two = two
  const { id } = await callOf('101')
  const ringing = office.answers('102')
  await api.give('POST', `/v1/calls/${id}/consultation`, { by: '101', to: '102' })
  using three = await ringing
  await hear([two, ['102']], [three, ['101']])
  await api.give('POST', `/v1/calls/${id}/consultation/merge`, {})
  await hear([one, ['101', '102']], [two, ['100', '102']], [three, ['100', '101']])
  await office.killServer(/"kind":"three-way"/)
  await hear([one, ['101', '102']], [two, ['100', '102']], [three, ['100', '101']])
  await two.call.bye()
  await hear([one, ['102']], [three, ['100']])
  await one.call.bye()
  await three.call.ended()
})
