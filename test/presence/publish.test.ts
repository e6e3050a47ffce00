import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneCompany } from '#test/phones/company.ts'
import { Watcher } from '#test/presence/watcher.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { until } from '#test/support/sounds.ts'
import { header, type WireMessage } from '#test/support/wire.ts'
import type { WirePhone } from '#test/support/wire-phone.ts'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'

/** Phones written out message by message, on a running system with two companies. */
let town: TwoCompanies

before(async () => {
  town = await TwoCompanies.start()
  for (const company of [town.red, town.blue]) for (const phone of company.phones) assert.equal((await phone.register()).status, 200)
})
after(() => town[Symbol.asyncDispose]())

const saying = (activity: string, note: string): string =>
  `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" ` +
  `xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:101@red.test"><tuple id="t"><status><basic>open</basic></status></tuple>` +
  `<dm:person id="p"><rpid:activities><rpid:${activity}/></rpid:activities><dm:note>${note}</dm:note></dm:person></presence>`

/** Asked again, as a phone does, where a system that has just started or is busy says 503. */
async function publish(
  phone: WirePhone,
  body: string,
  headers: string[] = [],
  to: { name?: string; event?: string } = {},
): Promise<WireMessage> {
  const type = body === '' ? [] : ['Content-Type: application/pidf+xml']
  const { name = '101', event = 'presence' } = to
  const ask = () => phone.request('PUBLISH', `sip:${name}@red.test`, { headers: [`Event: ${event}`, ...type, ...headers] }, body)
  let answer = await ask()
  await until('PUBLISH is taken', async () => answer.status !== 503 || (answer = await ask()).status !== 503)
  return answer
}

const stateOf = async (number: string): Promise<unknown> => {
  const { extensions } = await town.red.api.get<{ extensions: { number: string }[] }>('/v1/presence')
  return extensions.find((each) => each.number === number)
}

test('what a phone publishes is seen by colleagues and by the API, outlives the server, and goes when it is taken back', async () => {
  const [one, other] = town.red.phones
  using watcher = await Watcher.subscribe(one, 'presence', '101')
  await watcher.until(/<dm:person id="person"><\/dm:person>/)
  const first = await publish(other, saying('meeting', 'Back at two'), ['Expires: 600'])
  assert.deepEqual([first.status, header(first, 'expires')], [200, '600'])
  assert.match((await watcher.until(/<rpid:meeting\/>/)).body, /<basic>open<\/basic>[^]*<note>Back at two<\/note>/)
  assert.deepEqual(await stateOf('101'), { number: '101', name: '101', state: 'available', activity: 'meeting', note: 'Back at two' })

  process.kill(await town.system.pidOf('server'), 'SIGKILL')
  await watcher.until(/<rpid:meeting\/>/)
  const again = await publish(other, '', [`SIP-If-Match: ${header(first, 'sip-etag')}`])
  assert.equal(again.status, 200)
  assert.notEqual(header(again, 'sip-etag'), header(first, 'sip-etag'))
  assert.equal((await publish(other, '', [`SIP-If-Match: ${header(first, 'sip-etag')}`])).status, 412)

  const changed = await publish(other, saying('away', 'Gone'), [`SIP-If-Match: ${header(again, 'sip-etag')}`])
  await watcher.until(/<rpid:away\/>/)
  assert.equal((await publish(other, '', [`SIP-If-Match: ${header(changed, 'sip-etag')}`, 'Expires: 0'])).status, 200)
  await watcher.until(/<dm:person id="person"><\/dm:person>/)
})

test('nobody publishes for somebody else, nor what we do not take', async () => {
  const [one] = town.red.phones
  const [stranger] = town.blue.phones
  assert.equal((await publish(one, saying('away', 'x'))).status, 403, 'for a colleague')
  assert.equal((await publish(stranger, saying('away', 'x'))).status, 404, 'for another company’s person')
  assert.equal((await publish(one, saying('away', 'x'), [], { name: '999' })).status, 404)
  const event = await publish(one, saying('away', 'x'), [], { name: '100', event: 'dialog' })
  assert.deepEqual([event.status, header(event, 'allow-events')], [489, 'presence'])
  assert.equal((await publish(one, '<!DOCTYPE x><presence/>', [], { name: '100' })).status, 400)
  assert.deepEqual(await stateOf('100'), { number: '100', name: '100', state: 'available' })
})

test('a baresip that says it is offline is shown so, and back when it says so', { skip: noBaresip }, async () => {
  await using company = await PhoneCompany.start()
  await using watcher = await Baresip.start(company.phone('101', 'udp', { watches: ['102'] }))
  await watcher.printed.next(/<basic>closed/)
  await using other = await Baresip.start(company.phone('102', 'udp', { publishes: true }))
  await watcher.printed.next(/sip:102@\S+> changed status from .* to .*Online/)
  await other.saysPresence(false)
  await watcher.printed.next(/sip:102@\S+> changed status from .*Online.* to .*Offline/)
  const mark = watcher.printed.mark
  await other.saysPresence(true)
  await watcher.printed.next(/sip:102@\S+> changed status from .*Offline.* to .*Online/, mark)
})
