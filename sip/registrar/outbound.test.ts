import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countingRandom } from '#base/ids.ts'
import { challengeFor, MemoryTown, Puppet } from '#sip/agent/memory-town.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { Gruus } from '#sip/registrar/gruu.ts'
import { byDevice } from '#sip/registrar/reach.ts'

const secret = Buffer.alloc(32, 7)
const urn = '<urn:uuid:00000000-0000-1000-8000-000a95a0e128>'
const aor = '201@town.example'

/** A registrar that knows 201, and REGISTERs written by hand. */
async function office() {
  const town = new MemoryTown()
  const gruus = new Gruus(secret, countingRandom())
  const server = await town.move('10.0.0.2', { limits: { gruus }, gruus, serviceRoute: ['<sip:edge.example;lr>'] })
  const who = challengeFor('201', 'secret')
  server.identify = () => ({
    kind: 'trusted',
    identity: who.kind === 'challenge' && who.user !== null ? who.user.identity : { id: '', aor },
  })
  const puppet = new Puppet(town, '10.0.0.9')
  let seq = 0
  const register = async (
    lines: readonly string[],
    parts: { transport?: 'udp' | 'tcp'; callId?: string; vias?: number } = {},
  ): Promise<SipResponse> => {
    const before = puppet.responses.length
    const vias = Array.from({ length: parts.vias ?? 1 }, (_, i) => `Via: SIP/2.0/UDP 10.0.0.${9 - i};branch=z9hG4bK${i}${++seq};rport`)
    puppet.say(puppet.flowTo('10.0.0.2', parts.transport ?? 'udp'), [
      'REGISTER sip:town.example SIP/2.0',
      ...vias,
      'From: <sip:201@town.example>;tag=f',
      'To: <sip:201@town.example>',
      `Call-ID: ${parts.callId ?? 'c'}`,
      `CSeq: ${++seq} REGISTER`,
      ...lines,
    ])
    await town.pass(50)
    const response = puppet.responses[before]
    assert.ok(response !== undefined)
    return response
  }
  const flow = (id: number): string => `Contact: <sip:201@10.0.0.9;ob>;+sip.instance="${urn}";reg-id=${id};expires=600`
  return { town, server, gruus, register, flow }
}

test('two flows of one phone are two bindings of the same Contact, and alternatives of each other', async () => {
  const { server, register, flow } = await office()
  const first = await register([flow(1), 'Supported: outbound, path'])
  assert.deepEqual([first.status, first.headers.require, first.headers.get('Flow-Timer')], [200, ['outbound'], '120'])
  await register([flow(2), 'Supported: outbound, path'], { transport: 'tcp', callId: 'c2' })
  await register(['Contact: <sip:201@10.0.0.10>'], { callId: 'other' })
  const devices = byDevice(server.registrar.contactsOf(aor))
  assert.deepEqual(new Set(devices.map((flows) => flows.map(({ regId }) => regId).join())), new Set(['2,1', '']))
})

test('the same reg-id over another flow replaces the flow; without Supported it is an ordinary contact', async () => {
  const { server, register, flow } = await office()
  await register([flow(1), 'Supported: outbound'])
  await register([flow(1).replace('10.0.0.9', '10.0.0.77'), 'Supported: outbound'], { transport: 'tcp', callId: 'again' })
  assert.deepEqual(
    server.registrar.bindingsOf(aor).map(({ contact, flow: { transport } }) => [contact, transport]),
    [['sip:201@10.0.0.77;ob', 'tcp']],
  )
  const plain = await register([flow(2)], { callId: 'plain' })
  assert.equal(plain.headers.get('Flow-Timer'), undefined)
  assert.equal(server.registrar.bindingsOf(aor).length, 2)
})

test('a proxy on the way that does not keep the flow is 439; one that says so by ob in Path is taken', async () => {
  const { server, register, flow } = await office()
  const through = (edge: string) =>
    register([`Path: <sip:core.example;lr>`, `Path: <${edge}>`, flow(1), 'Supported: outbound, path'], { vias: 2 })
  assert.equal((await through('sip:edge.example;lr')).status, 439)
  assert.equal(server.registrar.size, 0)
  assert.equal((await through('sip:token@edge.example;lr;ob')).status, 200)
  assert.deepEqual(server.registrar.contactsOf(aor)[0]?.path, ['<sip:core.example;lr>', '<sip:token@edge.example;lr;ob>'])
})

test('Path is taken only from phones that know it, echoed, and told with the way back', async () => {
  const { server, register } = await office()
  const refused = await register(['Contact: <sip:201@10.0.0.9>', 'Path: <sip:edge.example;lr>'])
  assert.deepEqual([refused.status, refused.headers.get('Unsupported'), server.registrar.size], [420, 'path', 0])
  assert.equal((await register(['Contact: <sip:201@10.0.0.9>', 'Path: edge', 'Supported: path'])).status, 400)
  const done = await register(['Contact: <sip:201@10.0.0.9>', 'Path: <sip:edge.example;lr>', 'Supported: path', 'Require: path, outbound'])
  assert.deepEqual(
    [done.status, done.headers.get('Path'), done.headers.get('Service-Route')],
    [200, '<sip:edge.example;lr>', '<sip:edge.example;lr>'],
  )
})

test('two flows in one REGISTER are 400', async () => {
  const { register, flow } = await office()
  assert.equal((await register([flow(1), flow(2).replace('.9', '.8'), 'Supported: outbound'])).status, 400)
})

test('a public GRUU stays the same, temporary ones are new each time, and all lead to the phone', async () => {
  const { gruus, register, flow } = await office()
  const gruusOf = ({ headers }: SipResponse) => {
    const { contact } = headers
    return { pub: contact?.params.get('pub-gruu')?.slice(1, -1) ?? '', temp: contact?.params.get('temp-gruu')?.slice(1, -1) ?? '' }
  }
  assert.equal((await register([flow(1)])).headers.contact?.params.has('pub-gruu'), false)
  const one = gruusOf(await register([flow(1), 'Supported: gruu']))
  const two = gruusOf(await register([flow(1), 'Supported: gruu']))
  assert.equal(one.pub, `sip:${aor};gr=urn:uuid:00000000-0000-1000-8000-000a95a0e128`)
  assert.equal(one.pub, two.pub)
  assert.notEqual(one.temp, two.temp)
  assert.doesNotMatch(one.temp, /201|urn/)
  for (const uri of [one.pub, one.temp, two.temp]) {
    const found = gruus.find(uri)
    assert.ok(found !== null && found !== 'nobody')
    assert.deepEqual([found.aor, found.instance], [aor, urn])
  }
  await register([flow(1), 'Supported: gruu'], { callId: 'restarted' })
  assert.equal(gruus.find(one.temp), 'nobody', 'another registration ends them')
  await register(['Contact: *', 'Expires: 0'], { callId: 'restarted' })
  assert.equal(gruus.find(two.temp), 'nobody')
})

test('temporary GRUUs survive a restart with the same secret, and nothing that was made up leads anywhere', async () => {
  const { server, gruus, register, flow } = await office()
  const { contact } = (await register([flow(1), 'Supported: gruu'])).headers
  const temp = contact?.params.get('temp-gruu')?.slice(1, -1) ?? ''
  const later = new Gruus(secret, countingRandom())
  for (const binding of server.registrar.all()) later.bound(binding)
  assert.notEqual(later.find(temp), 'nobody')
  assert.equal(new Gruus(Buffer.alloc(32, 8), countingRandom()).find(temp), 'nobody')
  assert.equal(gruus.find('sip:201@town.example'), null)
  fc.assert(
    fc.property(fc.nat(51), fc.integer({ min: 1, max: 15 }), (at, by) => {
      const i = 'sip:tgruu.'.length + at
      const other = (parseInt(temp[i] ?? '0', 16) ^ by).toString(16)
      assert.equal(gruus.find(`${temp.slice(0, i)}${other}${temp.slice(i + 1)}`), 'nobody')
    }),
  )
})
