import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Identified } from '#sip/agent.ts'
import { CallNotes, challengeFor, MemoryTown, Notes, Puppet, sdp } from '#sip/agent/memory-town.ts'
import type { SipResponse } from '#sip/message/message.ts'

/** An agent, and somebody who sends it requests by hand. */
async function entrance(settings = {}) {
  const town = new MemoryTown()
  const server = await town.move('10.0.0.2', settings)
  const puppet = new Puppet(town, '10.0.0.9')
  let branch = 0
  const ask = async (
    method: string,
    lines: readonly string[] = [],
    parts: { uri?: string; to?: string; body?: string } = {},
  ): Promise<SipResponse> => {
    const before = puppet.responses.length
    const head = [
      `${method} ${parts.uri ?? 'sip:town.example'} SIP/2.0`,
      `Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK${++branch};rport`,
      'From: <sip:201@town.example>;tag=f',
      `To: ${parts.to ?? '<sip:201@town.example>'}`,
      `Call-ID: call-${branch}`,
      `CSeq: ${branch} ${method}`,
      ...lines,
    ]
    puppet.say(puppet.flowTo('10.0.0.2'), head, parts.body)
    await town.pass(50)
    const response = puppet.responses.slice(before).find(({ status }) => status > 100)
    assert.ok(response !== undefined, `${method} got no answer`)
    return response
  }
  return { town, server, puppet, ask }
}

test('OPTIONS tells what is served; while draining it says 503 like an INVITE would', async () => {
  const { server, ask } = await entrance({ methods: ['MESSAGE'] })
  const options = await ask('OPTIONS')
  assert.equal(options.status, 200)
  assert.ok(
    options.headers.get('Accept') !== undefined && options.headers.allow.includes('INVITE') && options.headers.allow.includes('MESSAGE'),
  )
  server.agent.drain(30)
  const draining = await ask('OPTIONS')
  assert.deepEqual([draining.status, draining.headers.retryAfter], [503, 30])
  assert.equal((await ask('INVITE', ['Contact: <sip:x@10.0.0.9>'])).status, 503)
  assert.equal((await ask('MESSAGE')).status, 200)
})

test('what cannot be served is refused with the status that says why, before anybody is asked', async () => {
  const { server, ask } = await entrance()
  server.identify = () => assert.fail('nobody must be asked')
  const contact = ['Contact: <sip:x@10.0.0.9>']
  const refusals = [
    await ask('FROBNICATE'),
    await ask('PUBLISH'),
    await ask('INVITE', contact, { uri: 'mailto:x@y' }),
    await ask('INVITE', [...contact, 'Require: replaces, nothing']),
    await ask('INVITE', [...contact, 'Content-Type: text/plain'], { body: 'hello' }),
    await ask('INVITE', [...contact, 'Accept: text/plain']),
    await ask('INVITE', [...contact, 'Max-Forwards: 0']),
    await ask('BYE', [], { to: '<sip:x@town.example>;tag=nobody' }),
    await ask('INVITE', contact, { to: '<sip:x@town.example>;tag=nobody' }),
  ]
  assert.deepEqual(
    refusals.map(({ status }) => status),
    [501, 405, 416, 420, 415, 406, 483, 481, 481],
  )
  assert.equal(refusals[3]?.headers.get('Unsupported'), 'nothing')
  assert.deepEqual(server.invites, [])
})

test('requests that only make sense in a dialog get 481 outside of one', async () => {
  const { ask } = await entrance()
  for (const method of ['BYE', 'INFO', 'UPDATE', 'NOTIFY', 'REFER']) assert.equal((await ask(method)).status, 481, method)
  assert.equal((await ask('MESSAGE')).status, 405)
})

test('known and unknown users get the same challenge; only the nonce and tag differ', async () => {
  const { server, ask } = await entrance()
  const unknown: Identified = { kind: 'challenge', realm: 'town.example', user: null }
  const shape = (response: SipResponse): string[] =>
    Array.from({ length: response.headers.count }, (_, i) => `${response.headers.nameAt(i)?.wire}: ${response.headers.valueAt(i)}`)
      .filter((line) => !/^(Via|Call-ID|CSeq)/.test(line))
      .map((line) => line.replace(/nonce="[^"]*"/, 'nonce').replace(/tag=\w+/g, 'tag'))
  server.identify = () => challengeFor('201', 'secret')
  const known = await ask('REGISTER')
  server.identify = () => unknown
  const stranger = await ask('REGISTER')
  assert.deepEqual([known.status, shape(known)], [stranger.status, shape(stranger)])
  assert.equal(known.headers.all('WWW-Authenticate').length, 2)
})

test('a request repeated when nothing is kept of it gets the same To tag again, and who proves who they are gets one that nobody can guess', async () => {
  const { server, puppet, town } = await entrance({ transactions: { maxStrangers: 0 } })
  const ask = async (): Promise<string | undefined> => {
    const head = ['Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKsame;rport', 'From: <sip:201@town.example>;tag=f', 'To: <sip:201@town.example>']
    puppet.say(puppet.flowTo('10.0.0.2'), ['OPTIONS sip:town.example SIP/2.0', ...head, 'Call-ID: same', 'CSeq: 1 OPTIONS'])
    await town.pass(50)
    return puppet.responses.at(-1)?.headers.to.tag
  }
  server.identify = () => challengeFor('201', 'secret')
  const tags = [await ask(), await ask()]
  assert.equal(puppet.responses.length, 2)
  assert.equal(server.agent.counts.challenged, 2)
  assert.ok(tags[0] !== undefined && tags[0] === tags[1])
  server.identify = () => ({ kind: 'trusted', identity: { id: 'd', aor: '201@town.example' } })
  assert.ok((await ask()) !== tags[0])
})

test('a device registers its own address only, and in the words of RFC 3261 §10.3', async () => {
  const { server, ask } = await entrance({ limits: { minExpires: 60 } })
  server.identify = () => ({ kind: 'trusted', identity: { id: 'd', aor: '201@town.example' } })
  const contact = 'Contact: <sip:201@10.0.0.9;ob>;q=0.7;expires=300;+sip.instance="<urn:uuid:1>"'
  const done = await ask('REGISTER', [contact, 'Path: <sip:edge.example;lr>', 'Supported: path'])
  assert.equal(done.status, 200)
  assert.equal(done.headers.get('Contact'), '<sip:201@10.0.0.9;ob>;q=0.7;expires=300;+sip.instance="<urn:uuid:1>"')
  assert.equal(done.headers.get('Path'), '<sip:edge.example;lr>')
  assert.deepEqual(server.registrar.contactsOf('201@town.example')[0]?.path, ['<sip:edge.example;lr>'])
  const wrong = [
    await ask('REGISTER', [contact], { to: '<sip:202@town.example>' }),
    await ask('REGISTER', [contact], { to: '<sip:201@elsewhere.example>' }),
    await ask('REGISTER', ['Contact: <sip:201@10.0.0.8>;expires=10']),
    await ask('REGISTER', ['Contact: *', 'Expires: 60']),
    await ask('REGISTER', ['Contact: <mailto:x@y>']),
  ]
  assert.deepEqual(
    wrong.map(({ status }) => status),
    [403, 403, 423, 400, 400],
  )
  assert.equal(wrong[2]?.headers.get('Min-Expires'), '60')
  assert.equal((await ask('REGISTER', [contact], { to: '<sip:201@10.0.0.2>' })).status, 200, 'the address of the server is its domain too')
  assert.equal((await ask('REGISTER', ['Contact: *', 'Expires: 0'])).status, 200)
  assert.equal(server.registrar.size, 0)
})

test('a call to a registered device goes over the flow that it registered on', async () => {
  const { town, server, puppet, ask } = await entrance()
  server.identify = () => ({ kind: 'trusted', identity: { id: 'd', aor: '201@town.example' } })
  await ask('REGISTER', ['Contact: <sip:201@192.168.7.7:40000>'])
  const [binding] = server.registrar.contactsOf('201@town.example')
  assert.ok(binding !== undefined)
  puppet.onRequest = (request, flow) => {
    if (request.method !== 'ACK') puppet.answer(request, flow, 200, { toTag: 't', headers: [['Contact', '<sip:201@192.168.7.7:40000>']] })
  }
  const call = new CallNotes()
  server.agent.invite(
    { uri: binding.contact, via: binding.flow, from: '<sip:100@town.example>', to: '<sip:201@town.example>', body: sdp('o') },
    call,
  )
  await town.pass(100)
  call.talking?.bye()
  await town.pass(100)
  assert.deepEqual(
    puppet.requests.map((r) => `${r.method} ${r.uri}`),
    ['INVITE sip:201@192.168.7.7:40000', 'ACK sip:201@192.168.7.7:40000', 'BYE sip:201@192.168.7.7:40000'],
  )
})

test('the SDP of a multipart INVITE is what the owner sees', async () => {
  const { town, server, puppet } = await entrance()
  server.onInvite = (invite) => void invite.accept(sdp('answer'), new Notes())
  const body = [
    '--b',
    'Content-Type: application/isup',
    '',
    'x',
    '--b',
    'Content-Type: application/sdp',
    '',
    'v=0',
    's=-',
    '--b--',
    '',
  ].join('\r\n')
  puppet.say(
    puppet.flowTo('10.0.0.2'),
    [
      'INVITE sip:100@10.0.0.2 SIP/2.0',
      'Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKm;rport',
      'From: <sip:x@10.0.0.9>;tag=f',
      'To: <sip:100@10.0.0.2>',
      'Call-ID: m',
      'CSeq: 1 INVITE',
      'Contact: <sip:x@10.0.0.9>',
      'Content-Type: multipart/mixed;boundary=b',
    ],
    body,
  )
  await town.pass(50)
  assert.equal(Buffer.from(server.invites[0]?.request.body ?? []).toString(), 'v=0\r\ns=-')
  assert.equal(server.invites[0]?.request.headers.get('Content-Type'), 'application/sdp')
})
