import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { EdgeProxy } from '#test/presence/edge.ts'
import { Watcher } from '#test/presence/watcher.ts'
import { claimPort } from '#test/support/ports.ts'
import { header, type WireMessage } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'
import { withoutKamailio } from '#test/trunks/kamailio.ts'

let town: TwoCompanies
let edge: EdgeProxy
/** Extension 101, behind the proxy. */
let far: WirePhone

before(async () => {
  if (withoutKamailio !== false) return
  town = await TwoCompanies.start()
  edge = await EdgeProxy.start({ address: '127.0.0.1', port: await claimPort() }, town.sip)
  far = await WirePhone.open(town.red.phones[1].account, edge)
  assert.equal((await town.red.phones[0].register()).status, 200)
})
after(async () => {
  await far?.[Symbol.asyncDispose]()
  await edge?.[Symbol.asyncDispose]()
  await town?.[Symbol.asyncDispose]()
})

const register = (...more: string[]): Promise<WireMessage> => far.register({ headers: more })

test('a phone that knows nothing of Path is not taken through the proxy (420)', { skip: withoutKamailio }, async () => {
  const refused = await register()
  assert.deepEqual([refused.status, header(refused, 'unsupported')], [420, 'path'])
})

test('a phone behind the proxy registers, is called by way of its Path, calls, and is seen on lamps', {
  skip: withoutKamailio,
}, async () => {
  const near = town.red.phones[0]
  const done = await register('Supported: path')
  assert.equal(done.status, 200)
  assert.match(header(done, 'path'), new RegExp(`<sip:edge@127\\.0\\.0\\.1:${edge.port};lr>`))

  using lamp = await Watcher.subscribe(near, 'dialog', '101')
  await lamp.notify()
  const calling = near.call('101')
  const taken = await far.answered()
  const vias = taken.message.headers.get('via') ?? []
  assert.match(vias[0] ?? '', new RegExp(`127\\.0\\.0\\.1:${edge.port}`), 'it came from the proxy')
  const call = await calling
  assert.equal(call.status, 200)
  await lamp.until(/<state>confirmed<\/state>/)
  await call.bye()
  await taken.ended()
  await lamp.until(/<state>terminated<\/state>/)
})

test('a lamp behind the proxy is told through the proxy', { skip: withoutKamailio }, async () => {
  using lamp = await Watcher.subscribe(far, 'dialog', '100')
  assert.match((await lamp.notify()).body, /state="full"/)
  assert.match(header(await lampTold(lamp), 'via'), new RegExp(`127\\.0\\.0\\.1:${edge.port}`))
})

/** A call of 100, which the lamp shows. */
async function lampTold(lamp: Watcher): Promise<WireMessage> {
  const calling = town.red.phones[0].call('101')
  const taken = await far.answered()
  const call = await calling
  const told = await lamp.until(/<state>confirmed<\/state>/)
  await call.bye()
  await taken.ended()
  return told
}
