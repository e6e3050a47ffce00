import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'
import type { ExpectedPeer, Flow } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { SipTransport, type SipTransportOptions } from '#sip/transport/sip-transport.ts'
import { checkSipIdentity, type TlsSettings } from '#sip/transport/tls-keys.ts'
import { isFlow } from '#sip/transport/transport.ts'
import { closed } from '#test/support/closed.ts'

const dayMs = 86_400_000
const validity = { from: Date.now() - dayMs, to: Date.now() + 30 * dayMs }
const authority = makeAuthority('Trusted', validity)
const stranger = makeAuthority('Stranger', validity)
const keys = (names: readonly string[], by = authority): TlsSettings => ({ certificates: [issueFor(names, validity, by)] })
const anyPort = { address: '127.0.0.1', port: 0, setting: 'TEST_PORT' }
const open: SipTransport[] = []
after(() => Promise.all(open.map((transport) => transport.close())))

/** A transport with real sockets and a clock of ours; what comes is awaited. */
async function started(options: SipTransportOptions) {
  const clock = new VirtualClock()
  const transport = new SipTransport(clock, new TimerWheel(clock), options)
  open.push(transport)
  const heard: { request?: SipRequest; failed?: string; flow: Flow }[] = []
  let wake: () => void = () => undefined
  const note = (what: (typeof heard)[number]): void => {
    heard.push(what)
    wake()
  }
  await transport.start({
    onRequest: (request, flow) => note({ request, flow }),
    onResponse: () => undefined,
    onFlowFailed: (flow, failed) => note({ failed, flow }),
  })
  const next = async (): Promise<(typeof heard)[number]> => {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return heard.shift() ?? assert.fail()
  }
  const portOf = (name: string): number => transport.listening.find((each) => each.transport === name)?.port ?? 0
  return { clock, transport, next, portOf }
}

function message(id: string): Buffer {
  return Buffer.from(
    `OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK${id}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: ${id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
  )
}

test('a peer of ours must be who it should be: by name, by who vouches for it, or not at all where that is said', async () => {
  const server = await started({ tls: [anyPort], keys: keys(['sip.carrier.example']) })
  const client = await started({ keys: keys(['pbx.example']) })
  const to = (expects: ExpectedPeer): Flow => {
    const flow = client.transport.open({ transport: 'tls', address: '127.0.0.1', port: server.portOf('tls'), expects })
    assert.ok(isFlow(flow))
    client.transport.send(flow, message(`for-${expects.name}`))
    return flow
  }
  to({ name: 'sip.carrier.example', trust: { pem: authority.chain } })
  assert.equal((await server.next()).request?.headers.callId, 'for-sip.carrier.example')
  for (const [expects, why] of [
    [{ name: 'other.example', trust: { pem: authority.chain } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [{ name: 'sip.carrier.example', trust: { pem: stranger.chain } }, /SELF_SIGNED|UNABLE_TO_/],
    [{ name: 'sip.carrier.example', trust: 'authorities' }, /SELF_SIGNED|UNABLE_TO_/],
  ] as const) {
    to(expects)
    const { failed = '', request } = await client.next()
    assert.equal(request, undefined)
    assert.match(failed, new RegExp(why))
  }
  to({ name: 'whoever.example', trust: 'anyone' })
  // The refused ones were told nothing, so this is the next that comes.
  assert.equal((await server.next()).request?.headers.callId, 'for-whoever.example')
})

test('one connection serves all that goes to the same peer, both ways, and not what must go to another', async () => {
  const server = await started({ tls: [anyPort], keys: keys(['one.example', 'two.example']) })
  const client = await started({ tls: [anyPort], keys: keys(['pbx.example']) })
  const flowTo = (name: string): Flow => {
    const expects = { name, trust: { pem: authority.chain } }
    const flow = client.transport.open({ transport: 'tls', address: '127.0.0.1', port: server.portOf('tls'), expects })
    return isFlow(flow) ? flow : assert.fail()
  }
  const [one, again, two] = [flowTo('one.example'), flowTo('one.example'), flowTo('two.example')]
  assert.equal(one.connection, again.connection)
  assert.notEqual(one.connection, two.connection)
  client.transport.send(one, message('there'))
  const { flow } = await server.next()
  server.transport.send(flow, message('back'))
  const came = await client.next()
  assert.equal(came.request?.headers.callId, 'back')
  assert.equal(came.flow.connection, one.connection)
  assert.equal(client.transport.advertised(one).port, client.portOf('tls'))
})

test('of several certificates a peer is shown the one for the name it asks for; the first when there is none, or it asks for none (RFC 6066 §3)', async () => {
  const certificates = [['one.example'], ['two.example', 'three.example']].flatMap((names) => keys(names).certificates)
  const server = await started({ tls: [anyPort], keys: { certificates } })
  const shownTo = async (servername: string): Promise<string | undefined> => {
    const socket = connectTls({ host: '127.0.0.1', port: server.portOf('tls'), ca: authority.chain, servername, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { subjectaltname } = socket.getPeerCertificate()
    socket.destroy()
    return subjectaltname
  }
  const [first, second] = ['DNS:one.example', 'DNS:two.example, DNS:three.example']
  assert.equal(await shownTo('three.example'), second)
  assert.equal(await shownTo('two.example'), second)
  for (const name of ['one.example', 'other.example', '']) assert.equal(await shownTo(name), first, name)
})

test('where clients need certificates, only those with one that is vouched for come in', async () => {
  const [certificate] = keys(['sip.example']).certificates
  assert.ok(certificate)
  const server = await started({ tls: [anyPort], keys: { certificates: [certificate], clientAuthorities: authority.chain } })
  const expects = { name: 'sip.example', trust: { pem: authority.chain } } as const
  for (const [by, comes] of [
    [authority, true],
    [stranger, false],
  ] as const) {
    const client = await started({ keys: keys(['phone.example'], by) })
    const flow = client.transport.open({ transport: 'tls', address: '127.0.0.1', port: server.portOf('tls'), expects })
    assert.ok(isFlow(flow))
    client.transport.send(flow, message(`by-${comes}`))
    if (comes) assert.equal((await server.next()).request?.headers.callId, 'by-true')
    else assert.ok((await client.next()).failed)
  }
})

test('thousands of half-open handshakes end in time, cost a bounded number of sockets, and keep nobody else out', async () => {
  const server = await started({ tls: [anyPort], wss: [anyPort], keys: keys(['127.0.0.1']), limits: { handshakesPerAddress: 100 } })
  const idle: Socket[] = []
  for (let i = 0; i < 300; i++) {
    const socket = connect(server.portOf(i % 2 === 0 ? 'tls' : 'wss'), '127.0.0.1')
    socket.on('error', () => undefined)
    idle.push(socket)
  }
  await Promise.all(idle.map((socket) => once(socket, 'connect').catch(() => undefined)))
  while ((server.transport.counts.refused['connection-limit'] ?? 0) < 200) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(server.transport.handshaking, 100)
  // Another address is let in at once.
  const far = connect({ host: '127.0.0.1', port: server.portOf('tls'), localAddress: '127.0.0.9' })
  const honest = connectTls({ socket: far, host: '127.0.0.1', ca: authority.chain })
  honest.write(message('honest'))
  assert.equal((await server.next()).request?.headers.callId, 'honest')
  server.clock.advance(5_000)
  assert.equal(server.transport.handshaking, 0)
  assert.equal(server.transport.counts.refused.handshake, 100)
  assert.equal(server.transport.counts.connectionsOpen, 1)
  honest.destroy()
  for (const socket of idle) socket.destroy()
})

test('when all places are taken by unfinished handshakes, the oldest has to go for the newest', async () => {
  const server = await started({ tls: [anyPort], keys: keys(['127.0.0.1']), limits: { handshakes: 3 } })
  const idle: Socket[] = []
  for (let i = 0; i < 3; i++) {
    const socket = connect({ host: '127.0.0.1', port: server.portOf('tls'), localAddress: `127.0.0.${20 + i}` })
    await once(socket, 'connect')
    while (server.transport.handshaking <= i) await new Promise((resolve) => setImmediate(resolve))
    idle.push(socket)
  }
  const thrownOut = closed(idle[0] ?? assert.fail())
  const honest = connectTls({ host: '127.0.0.1', port: server.portOf('tls'), ca: authority.chain })
  honest.write(message('newest'))
  assert.equal((await server.next()).request?.headers.callId, 'newest')
  await thrownOut
  for (const socket of [honest, ...idle]) socket.destroy()
})

test('a SIP domain is told from a certificate by its SIP URIs alone where it has any (RFC 5922 §7.1)', () => {
  const certificate = (subjectaltname: string) =>
    ({ subjectaltname, subject: { CN: 'common.example' } }) as unknown as Parameters<typeof checkSipIdentity>[1]
  const fits = (name: string, alt: string): boolean => checkSipIdentity(name, certificate(alt)) === undefined
  assert.ok(fits('carrier.example', 'URI:sip:Carrier.example, DNS:host.example'))
  assert.ok(!fits('host.example', 'URI:sip:carrier.example, DNS:host.example'))
  assert.ok(!fits('carrier.example', 'URI:sip:bob@carrier.example, DNS:host.example'))
  assert.ok(fits('host.example', 'DNS:host.example'))
  assert.ok(fits('a.host.example', 'DNS:*.host.example'))
  assert.ok(!fits('a.b.host.example', 'DNS:*.host.example'))
  assert.ok(!fits('common.example', 'DNS:host.example'))
})
