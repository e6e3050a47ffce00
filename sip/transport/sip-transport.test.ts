import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { Addresses } from '#sip/transport/addresses.ts'
import { PortTakenError } from '#sip/transport/port-taken.ts'
import { SourceWatch } from '#sip/transport/source-watch.ts'
import { SipTransport, type SipTransportOptions } from '#sip/transport/sip-transport.ts'
import { isFlow } from '#sip/transport/transport.ts'

const anyPort = { address: '127.0.0.1', port: 0, setting: 'TEST_PORT' }

/** A transport whose time is ours while its sockets are real; requests are awaited one by one. */
async function started(options: SipTransportOptions) {
  const clock = new VirtualClock()
  const wheel = new TimerWheel(clock)
  const transport = new SipTransport(clock, wheel, options)
  const requests: { request: SipRequest; flow: Flow }[] = []
  const failures: string[] = []
  let wake: () => void = () => undefined
  await transport.start({
    onRequest: (request, flow) => {
      requests.push({ request, flow })
      wake()
    },
    onResponse: () => undefined,
    onFlowFailed: (_flow, why) => {
      failures.push(why)
      wake()
    },
  })
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve))
  }
  const nextRequest = async () => {
    await until(() => requests.length > 0)
    return requests.shift()
  }
  return { clock, wheel, transport, failures, until, nextRequest, port: transport.listening[0]?.port ?? 0 }
}

function message(method: string, contentLength = '0', more = ''): string {
  return `${method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: c\r\nCSeq: 1 ${method}\r\nContent-Length: ${contentLength}\r\n${more}\r\n`
}

/** Everything that a socket gets until its peer closes. */
async function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  return text
}

test('a message whose end cannot be known is answered 400 and ends its connection; nothing behind it is read', async () => {
  for (const length of ['5,5', '-1', '+0', '4294967328', '0\r\nContent-Length: 3']) {
    const { transport, port, failures, until, nextRequest } = await started({ tcp: [anyPort] })
    const socket = connect(port, '127.0.0.1')
    socket.write(message('INFO') + message('OPTIONS', length) + message('BYE'))
    const { request } = (await nextRequest()) ?? {}
    assert.equal(request?.method, 'INFO')
    const text = await untilClosed(socket)
    assert.match(text, /^SIP\/2\.0 (400|513) /)
    assert.equal(text.match(/^SIP\/2\.0 /gm)?.length, 1)
    await until(() => failures.length > 0)
    await transport.close()
    assert.match(failures[0] ?? '', /^framing: /)
  }
})

test('a double CR LF is answered with one (RFC 5626 §4.4.1)', async () => {
  const { transport, port } = await started({ tcp: [anyPort] })
  const socket = connect(port, '127.0.0.1')
  socket.write('\r\n\r\n')
  const [pong] = await once(socket, 'data')
  assert.equal(String(pong), '\r\n')
  assert.equal(transport.counts.keepAlives, 1)
  socket.destroy()
  await transport.close()
})

test('a message that drips in for longer than the limit ends its connection, however often a byte comes', async () => {
  const { clock, transport, port, failures, until, nextRequest } = await started({ tcp: [anyPort], limits: { messageMs: 10_000 } })
  const socket = connect(port, '127.0.0.1')
  socket.write(`${message('OPTIONS')}REGISTER sip:`)
  await nextRequest()
  clock.advance(9_900)
  socket.write(`a SIP/2.0\r\n${message('INFO')}`)
  clock.advance(200)
  await until(() => failures.length > 0)
  assert.deepEqual(failures, ['slow'])
  assert.equal(transport.counts.refused.slow, 1)
  socket.destroy()
  await transport.close()
})

test('a connection that never says anything is closed, one in use is kept', async () => {
  const { clock, transport, port, failures, until, nextRequest } = await started({ tcp: [anyPort], limits: { firstByteMs: 30_000 } })
  const silent = connect(port, '127.0.0.1')
  await once(silent, 'connect')
  const talking = connect(port, '127.0.0.1')
  talking.write(message('OPTIONS'))
  await nextRequest()
  clock.advance(31_000)
  await until(() => failures.length > 0)
  assert.deepEqual([failures, transport.counts.connectionsOpen], [['idle'], 1])
  silent.destroy()
  talking.destroy()
  await transport.close()
})

test('connections above the limits are closed at once and counted', async () => {
  const { transport, port, nextRequest } = await started({ tcp: [anyPort], limits: { connectionsPerAddress: 1 } })
  const first = connect(port, '127.0.0.1')
  first.write(message('OPTIONS'))
  await nextRequest()
  const second = connect(port, '127.0.0.1')
  await untilClosed(second)
  assert.equal(transport.counts.refused['connection-limit'], 1)
  assert.deepEqual(transport.open({ transport: 'tcp', address: '127.0.0.1', port: 9 }), {
    kind: 'no-flow',
    why: 'full',
    detail: 'the limit of connections is reached',
  })
  first.destroy()
  await transport.close()
})

test('when all places are taken the stranger that has had one for the longest makes room, never who has proved itself', async () => {
  const clock = new VirtualClock()
  const watch = new SourceWatch({ clock, vouches: () => false, onBan: () => undefined })
  const { transport, port, failures, until, nextRequest } = await started({ tcp: [anyPort], watch, limits: { connections: 3 } })
  const come = async (localAddress: string): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined)
    socket.write(message('OPTIONS'))
    await nextRequest()
    return socket
  }
  const phone = await come('127.0.0.2')
  watch.proves({ address: '127.0.0.2', port: phone.localPort ?? 0 })
  const first = await come('127.0.0.3')
  const second = await come('127.0.0.4')
  const gone = untilClosed(first)
  const third = await come('127.0.0.5')
  await gone
  await until(() => failures.length > 0)
  assert.deepEqual(failures, ['others need its place'])
  assert.deepEqual(
    [phone, second, third].map((each) => each.readyState),
    ['open', 'open', 'open'],
  )
  for (const address of ['127.0.0.4', '127.0.0.5']) watch.proves({ address, port: 1 })
  const late = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.6' })
  await untilClosed(late)
  assert.equal(transport.counts.connectionsOpen, 3)
  for (const each of [phone, second, third]) each.destroy()
  await transport.close()
})

test('a peer that does not read is cut off when what waits for it exceeds the bound', async () => {
  const { transport, port, failures, nextRequest } = await started({ tcp: [anyPort], limits: { outboundBytes: 300_000 } })
  const deaf = connect(port, '127.0.0.1')
  deaf.write(message('OPTIONS'))
  deaf.on('error', () => undefined)
  deaf.pause()
  const { flow } = (await nextRequest()) ?? {}
  assert.ok(flow !== undefined)
  let sent = 0
  while (transport.send(flow, Buffer.alloc(60_000))) assert.ok(++sent < 1_000)
  assert.deepEqual(failures, ['it does not read what we send'])
  assert.equal(transport.counts.refused['outbound-full'], 1)
  deaf.destroy()
  await transport.close()
})

test('a connection that cannot be made in time fails', async () => {
  const { clock, transport, failures, until } = await started({ tcp: [anyPort], limits: { connectMs: 2_000 } })
  // Documentation addresses (RFC 5737) answer nothing, or the machine says at once that there is no way to them.
  const flow = transport.open({ transport: 'tcp', address: '192.0.2.1', port: 5060 })
  assert.ok(isFlow(flow))
  clock.advance(2_000)
  await until(() => failures.length > 0)
  assert.equal(failures.length, 1)
  await transport.close()
})

test('SIP over WebSocket: a message per frame in both directions, with the subprotocol sip (RFC 7118)', async () => {
  const { transport, port, nextRequest } = await started({ ws: [anyPort] })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'sip')
  await once(socket, 'open')
  assert.equal(socket.protocol, 'sip')
  socket.send(message('REGISTER'))
  const { request, flow } = (await nextRequest()) ?? {}
  assert.equal(request?.method, 'REGISTER')
  assert.ok(flow?.transport === 'ws' && flow.connection !== null)
  transport.send(flow, Buffer.from('SIP/2.0 200 OK\r\n\r\n'))
  const [data, isBinary] = await once(socket, 'message')
  assert.deepEqual([String(data), isBinary], ['SIP/2.0 200 OK\r\n\r\n', false])
  assert.equal(isFlow(transport.open({ transport: 'ws', ...flow.remote })), true, 'the peer is reached over its own connection')
  socket.terminate()
  await transport.close()
})

test('a WebSocket without the subprotocol or from a foreign page is refused', async () => {
  const { transport, port } = await started({ ws: [anyPort] })
  const refusal = async (protocol: string, origin?: string): Promise<string> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, protocol, origin === undefined ? {} : { origin })
    const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown])
    return error instanceof Error ? error.message : String(error)
  }
  assert.match(await refusal('chat'), /400/)
  assert.match(await refusal('sip', 'https://evil.example'), /403/)
  assert.equal(transport.counts.refused.websocket, 2)
  const own = new WebSocket(`ws://127.0.0.1:${port}/`, 'sip', { origin: `http://127.0.0.1:${port}` })
  await once(own, 'open')
  own.terminate()
  await transport.close()
})

test('a WebSocket that does not answer a ping until the next is closed', async () => {
  const { clock, transport, port, failures, until } = await started({ ws: [anyPort], limits: { pingMs: 30_000 } })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, 'sip', { autoPong: false })
  await once(socket, 'open')
  clock.advance(30_000)
  await once(socket, 'ping')
  clock.advance(30_000)
  await until(() => failures.length > 0)
  assert.deepEqual(failures, ['idle'])
  socket.terminate()
  await transport.close()
})

test('a taken port is an error that names port, transport, owner and setting, and leaves nothing open', async () => {
  const udp = createSocket('udp4')
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const tcp = createServer()
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const tcpPort = (tcp.address() as { port: number }).port
  for (const [transport, port] of [
    ['udp', udp.address().port],
    ['tcp', tcpPort],
    ['ws', tcpPort],
  ] as const) {
    const clock = new VirtualClock()
    const receiver = { onRequest: () => undefined, onResponse: () => undefined, onFlowFailed: () => undefined }
    const other = transport === 'udp' ? { tcp: [anyPort] } : { udp: [anyPort] }
    const sip = new SipTransport(clock, new TimerWheel(clock), {
      ...other,
      [transport]: [{ address: '127.0.0.1', port, setting: 'SIP_PORT' }],
    })
    await assert.rejects(sip.start(receiver), (error) => {
      assert.ok(error instanceof PortTakenError)
      assert.match(
        error.message,
        new RegExp(`${transport.toUpperCase()} port ${port} of 127\\.0\\.0\\.1: it is taken by .+; the setting is SIP_PORT`),
      )
      if (process.platform === 'linux') assert.ok(error.owner?.includes(`(pid ${process.pid})`), String(error.owner))
      return true
    })
    assert.deepEqual(sip.listening, [])
  }
  udp.close()
  tcp.close()
})

test('peers outside the local networks are told the public address, those inside and the machine itself our own', () => {
  const addresses = new Addresses(new VirtualClock(), { publicAddress: '203.0.113.5', localNetworks: ['10.0.0.0/8', 'fd00::/8'] })
  const told = (remote: string, bound: string): string => addresses.advertisedTo(remote, bound)
  assert.equal(told('198.51.100.7', '10.1.2.3'), '203.0.113.5')
  assert.equal(told('10.9.9.9', '10.1.2.3'), '10.1.2.3')
  assert.equal(told('127.0.0.1', '0.0.0.0'), '127.0.0.1')
  assert.equal(told('2001:db8::7', 'fd00::1'), 'fd00::1', 'a public IPv4 address says nothing to an IPv6 peer')
  assert.throws(() => new Addresses(new VirtualClock(), { localNetworks: ['10.0.0.0/33'] }), /not a network/)
  assert.throws(() => new Addresses(new VirtualClock(), { publicAddress: 'example.org' }), /not an IP address/)
})

test('beside a UDP peer a TCP connection is tried once, and used when it stands', async () => {
  const { clock, transport, failures, until } = await started({ udp: [anyPort] })
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  assert.ok(at !== null && typeof at === 'object')
  const flow = transport.open({ transport: 'udp', address: '127.0.0.1', port: at.port })
  assert.ok(isFlow(flow))
  const taken = once(server, 'connection')
  assert.equal(transport.streamBeside(flow), null)
  const [peer] = (await taken) as [Socket]
  let stream = transport.streamBeside(flow)
  for (; stream === null; stream = transport.streamBeside(flow)) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([stream.transport, stream.remote.port], ['tcp', at.port])
  server.close()
  peer.destroy()
  await until(() => failures.length === 1)
  // Nobody listens there any more: neither now nor soon is it tried again, but later it is.
  assert.equal(transport.streamBeside(flow), null)
  assert.equal(transport.counts.connectionsOpened, 1)
  clock.advance(600_000)
  assert.equal(transport.streamBeside(flow), null)
  await until(() => failures.length === 2)
  assert.equal(transport.counts.connectionsOpened, 2)
  await transport.close()
})
