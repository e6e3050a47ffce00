import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ConferenceView } from '#contract/api/rooms.ts'
import { hear, Office, type Speaker } from '#test/rooms/office.ts'
import { header } from '#test/support/wire.ts'

let office: Office

before(async () => {
  office = await Office.start(
    { kind: 'prompt', id: 'welcome', text: 'Welcome to Acme. For sales press 1.' },
    {
      kind: 'flow',
      id: 'menu',
      start: 'menu',
      nodes: {
        menu: { type: 'menu', prompts: ['welcome'], keys: { '1': 'sales', '0': 'sales' }, wrong: 'bye', noAnswer: 'bye' },
        sales: { type: 'ring', steps: [{ targets: [{ extension: '200' }] }], noAnswer: 'bye' },
        bye: { type: 'hangup' },
      },
    },
    { kind: 'extension', id: '810', number: '810', target: { flow: 'menu' } },
    {
      ...{ kind: 'ring-group', id: 'sales', strategy: 'together', members: [{ extension: '200' }], seconds: 5 },
      noAnswer: { conference: 'open' },
    },
    { kind: 'extension', id: '820', number: '820', target: { ringGroup: 'sales' } },
  )
})
after(() => office[Symbol.asyncDispose]())

const weekly = (): Promise<ConferenceView> => office.at.api.get('/v1/conferences/weekly')

/** What the transferor is told: every sipfrag of one REFER. */
async function refer({ call }: Speaker, target: string): Promise<string[]> {
  const { wire } = call.phone
  const told: string[] = []
  const before = wire.onRequest
  wire.onRequest = (request) => request.method !== 'NOTIFY' && before.call(wire, request)
  try {
    assert.equal((await call.request('REFER', [`Refer-To: <sip:${target}>`])).status, 202)
    for (;;) {
      const notify = await wire.next('NOTIFY', ({ method }) => method === 'NOTIFY')
      wire.answer(notify, '200 OK')
      told.push(notify.body.trim())
      if (/terminated/.test(header(notify, 'subscription-state'))) return told
    }
  } finally {
    wire.onRequest = before
  }
}

test('a caller sent into a menu is let go by the transferor at once, hears it, and reaches whom the key means', async () => {
  const { facts } = office.at
  const mark = facts.mark
  const [caller, transferor] = await office.talk('100', '101')
  using _caller = caller
  assert.deepEqual(await refer(transferor, '810@acme.test'), ['SIP/2.0 100 Trying', 'SIP/2.0 200 OK'])
  transferor[Symbol.dispose]()
  await transferor.call.ended()
  await facts.next('flow.stepped', ({ node }) => node === 'menu', mark)
  const answering = office.answers('200')
  await caller.call.press('1')
  using sales = await answering
  await hear([caller, ['200']], [sales, ['100']])
  await caller.call.bye()
  await sales.call.ended()
  const ended = await facts.next('call.ended', () => true, mark)
  assert.equal(ended.outcome.kind, 'answered')
  assert.equal(facts.facts.slice(mark).filter(({ kind }) => kind === 'call.started').length, 1, 'it was one call all the way')
})

test('a caller sent into a conference is asked for its PIN; one who does not know it is back with the transferor, whose phone rings', async () => {
  const { facts } = office.at
  const mark = facts.mark
  const [caller, transferor] = await office.talk('100', '101')
  using _caller = caller
  assert.equal((await refer(transferor, '800@acme.test')).at(-1), 'SIP/2.0 200 OK')
  transferor[Symbol.dispose]()
  await transferor.call.ended()
  const answering = office.answers('101')
  for (let tries = 1; tries <= 3; tries++) {
    const from = facts.mark
    await caller.call.press('1111')
    await facts.next('conference.refused', () => true, from)
  }
  using again = await answering
  await hear([caller, ['101']], [again, ['100']])
  assert.equal((await facts.next('transfer.failed', ({ to }) => to === '800', mark)).outcome.kind, 'barred')

  assert.equal((await refer(again, '800@acme.test')).at(-1), 'SIP/2.0 200 OK')
  await again.call.ended()
  const from = facts.mark
  await caller.call.press('4711')
  await facts.next('conference.joined', () => true, from)
  await caller.call.bye()
})

test('a locked room without a PIN refuses the transfer, and the two talk on; by the API in words', async () => {
  const { api } = office.at
  using member = await office.calls('102', '801')
  await api.give('PATCH', '/v1/conferences/open', { locked: true })
  const mark = office.at.facts.mark
  const [caller, transferor] = await office.talk('100', '101')
  using _caller = caller
  using _transferor = transferor
  assert.equal((await refer(transferor, '801@acme.test')).at(-1), 'SIP/2.0 486 Busy Here')
  const { call } = await office.at.facts.next('call.started', () => true, mark)
  const send = (to: string) => api.ask('POST', `/v1/calls/${call}/transfers`, { by: '101', to })
  const refused = await send('801')
  assert.deepEqual([refused.status, (refused.body as { detail: string }).detail], [409, 'The conference is locked.'])
  assert.equal((await send('999')).status, 400)
  const asked = await api.ask('POST', `/v1/calls/${call}/consultation`, { by: '101', to: '810' })
  assert.deepEqual(
    [asked.status, (asked.body as { detail: string }).detail],
    [400, 'Nobody can be asked at 810: send the call there without asking.'],
  )
  await hear([caller, ['101']], [transferor, ['100']])
  await api.give('PATCH', '/v1/conferences/open', { locked: false })
  assert.equal((await send('801')).status, 202)
  await transferor.call.ended()
  await hear([caller, ['102']], [member, ['100']])
  await caller.call.bye()
  await member.call.bye()
})

test('a group that does not answer hands the transferred caller on as it hands on any other; until then the transferor waits', async () => {
  const { facts } = office.at
  const mark = facts.mark
  const [caller, transferor] = await office.talk('100', '101')
  using _caller = caller
  const group = office.phone('200')
  const ringing = group.wire.next('INVITE', ({ method }) => method === 'INVITE')
  const told = refer(transferor, '820@acme.test')
  const invite = await ringing
  group.wire.answer(invite, '180 Ringing', [`Contact: ${group.contact}`])
  group.wire.answer(invite, '486 Busy Here', [`Contact: ${group.contact}`])
  assert.deepEqual(await told, ['SIP/2.0 100 Trying', 'SIP/2.0 180 Ringing', 'SIP/2.0 200 OK'])
  transferor[Symbol.dispose]()
  await transferor.call.ended()
  await facts.next('conference.joined', ({ conference }) => conference === 'open', mark)
  await caller.call.bye()
})

test('who is in a conference brings a caller there in its own place', async () => {
  const { facts } = office.at
  using member = await office.calls('102', '800')
  await member.call.press('4711')
  const [caller, transferor] = await office.talk('100', '101')
  using _caller = caller
  const mark = facts.mark
  using asking = await office.calls('101', '800')
  await asking.call.press('9911')
  await facts.next('conference.joined', ({ moderator }) => moderator, mark)
  const tagOf = (address: string): string => /;tag=([^;]+)/.exec(address)?.[1] ?? ''
  const { message, callId } = asking.call
  const dialog = `${callId};to-tag=${tagOf(header(message, 'to'))};from-tag=${tagOf(header(message, 'from'))}`
  const told = await refer(transferor, `800@acme.test?Replaces=${encodeURIComponent(dialog)}`)
  assert.equal(told.at(-1), 'SIP/2.0 200 OK')
  transferor[Symbol.dispose]()
  asking[Symbol.dispose]()
  await Promise.all([transferor.call.ended(), asking.call.ended()])
  await hear([caller, ['102']], [member, ['100']])
  assert.deepEqual(
    (await weekly()).members.map(({ number, moderator }) => [number, moderator]),
    [
      ['102', false],
      ['100', false],
    ],
  )
  await caller.call.bye()
  await member.call.bye()
})
