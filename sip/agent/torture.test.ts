import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import type { SipPolicy } from '#sip/agent.ts'
import { Agent } from '#sip/agent/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle } from '#sip/auth/throttle.ts'
import { Registrar } from '#sip/registrar/registrar.ts'
import { SipTransport } from '#sip/transport/sip-transport.ts'
import { isAcceptable, type TortureCase, tortureCases } from '#test/conformance/torture.ts'

/** A company where nobody is known: everybody who asks is challenged. */
const policy: SipPolicy = {
  identify: () => ({ kind: 'challenge', realm: 'example.com', user: null }),
  onInvite: (invite) => invite.reject(404),
}

async function openAgent(): Promise<{ agent: Agent; port: number }> {
  const wheel = new TimerWheel(systemClock)
  const transport = new SipTransport(systemClock, wheel, { udp: [{ address: '127.0.0.1', port: 0, setting: 'test' }] })
  const agent = new Agent({
    clock: systemClock,
    wheel,
    random: { hex: (bytes) => randomBytes(bytes).toString('hex'), below: (limit) => randomInt(limit) },
    log: silentLog,
    transport,
    resolver: { resolve: () => Promise.resolve([]) },
    policy,
    gate: new AuthGate(
      new DigestServer({ clock: systemClock, key: createSecretKey(randomBytes(32)), algorithms: ['SHA-256', 'MD5'] }),
      new GuessThrottle({ clock: systemClock, onShutOut: () => undefined }),
    ),
    registrar: new Registrar(
      { now: () => systemClock.now(), wall: () => systemClock.wall(), after: (ms, task) => wheel.after(ms, task) },
      {},
    ),
    product: 'Centrala',
    isLocal: () => true,
  })
  await agent.start()
  const flow = transport.open({ transport: 'udp', address: '127.0.0.1', port: 9 })
  assert.ok('local' in flow)
  return { agent, port: flow.local.port }
}

test('all 49 messages of RFC 4475 sent over UDP to one agent get an acceptable answer', async () => {
  const cases = tortureCases('rfc4475')
  assert.equal(cases.length, 49)
  const one = await openAgent()
  assert.deepEqual(await unacceptable(cases.map((message) => [message, one.port])), [])
  await one.agent.close()
})

// Several of these share branch, Call-ID and CSeq, so that one agent would rightly take them for retransmissions.
test('all 12 messages of RFC 5118 sent over UDP to an agent each get an acceptable answer', async () => {
  const cases = await Promise.all(tortureCases('rfc5118').map(async (message) => ({ message, ...(await openAgent()) })))
  assert.deepEqual(await unacceptable(cases.map(({ message, port }) => [message, port])), [])
  await Promise.all(cases.map(({ agent }) => agent.close()))
})

async function unacceptable(cases: readonly (readonly [message: TortureCase, port: number])[]): Promise<string[]> {
  const asked = await Promise.all(cases.map(([message, port]) => ask(message, port)))
  await settled(asked)
  for (const { socket } of asked) socket.close()
  return asked.filter(({ status, message }) => !isAcceptable(status, message.ok)).map(({ status, message }) => `${message.name}: ${status}`)
}

interface Asked {
  readonly message: TortureCase
  readonly socket: Socket
  /** Last status but 100. */
  status: number | null
}

/** Sends one message from a port of its own. Its Via names another host, so that the answer comes back to that port (RFC 3261 §18.2.2). */
async function ask(message: TortureCase, port: number): Promise<Asked> {
  const asked: Asked = { message, socket: await openSocket(), status: null }
  asked.socket.on('message', (bytes) => {
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(bytes.toString('latin1'))?.[1])
    if (status > 100) asked.status = status
  })
  asked.socket.send(message.bytes, port, '127.0.0.1')
  return asked
}

/** Waits until everybody who must get an answer has one, then a moment for answers that must not come. */
async function settled(asked: readonly Asked[]): Promise<void> {
  const waits = (): boolean => asked.some(({ status, message }) => status === null && !message.ok.includes('none'))
  for (let i = 0; i < 300 && waits(); i++) await sleep(10)
  await sleep(50)
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.bind(0, '127.0.0.1', resolve)
  await promise
  return socket
}
