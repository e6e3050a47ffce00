import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'
import { StreamFramer } from '#sip/message/framing.ts'
import { openLiveAgent } from '#test/conformance/live-agent.ts'
import { isAcceptable, type TortureCase, tortureCases } from '#test/conformance/torture.ts'

const validity = { from: Date.now() - 86_400_000, to: Date.now() + 86_400_000 }
const authority = makeAuthority('Torture', validity)
const keys = { certificates: [issueFor(['127.0.0.1'], validity, authority)] }
const at = { address: '127.0.0.1', port: 0, setting: 'TEST_PORT' }
const listen = { tcp: [at], tls: [at], ws: [at], wss: [at], keys }

type Way = 'tcp' | 'tls' | 'ws' | 'wss'

/** One message under way to an agent, and what came back. */
interface Asked {
  readonly message: TortureCase
  /** Last status but 100. */
  status: number | null
  closed: boolean
  end(): void
}

function heard(asked: Asked, text: string): void {
  for (const [, digits] of text.matchAll(/SIP\/2\.0 (\d{3}) /g)) if (Number(digits) > 100) asked.status = Number(digits)
}

async function overStream(message: TortureCase, way: 'tcp' | 'tls', port: number, bytewise: boolean): Promise<Asked> {
  const socket: Socket =
    way === 'tcp' ? connect({ host: '127.0.0.1', port, noDelay: true }) : connectTls({ host: '127.0.0.1', port, ca: authority.chain })
  const asked: Asked = { message, status: null, closed: false, end: () => socket.destroy() }
  socket.on('error', () => undefined)
  socket.on('close', () => (asked.closed = true))
  socket.on('data', (chunk: Buffer) => heard(asked, chunk.toString('latin1')))
  await once(socket, way === 'tcp' ? 'connect' : 'secureConnect')
  if (!bytewise) socket.write(message.bytes)
  // Each byte goes before the next is given, so that it comes alone.
  else
    for (const byte of message.bytes)
      if (!asked.closed) await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()))
  return asked
}

async function overWebSocket(message: TortureCase, way: 'ws' | 'wss', port: number): Promise<Asked> {
  const socket = new WebSocket(`${way}://127.0.0.1:${port}/`, 'sip', { ca: authority.chain })
  const asked: Asked = { message, status: null, closed: false, end: () => socket.terminate() }
  socket.on('close', () => (asked.closed = true))
  socket.on('message', (data: Buffer) => heard(asked, data.toString('latin1')))
  await once(socket, 'open')
  socket.send(message.bytes)
  return asked
}

/** Sends each over a connection of its own; gives those with an unacceptable answer, or a connection that is not as it should be then. */
async function unacceptable(cases: readonly (readonly [TortureCase, number])[], way: Way, bytewise = false): Promise<string[]> {
  const asked = await Promise.all(
    cases.map(([message, port]) =>
      way === 'ws' || way === 'wss' ? overWebSocket(message, way, port) : overStream(message, way, port, bytewise),
    ),
  )
  const waits = (): boolean =>
    asked.some(({ status, closed, message: { ok, after } }) => (status === null && !ok.includes('none')) || (after === 'closed' && !closed))
  for (let i = 0; i < 3_000 && waits(); i++) await sleep(10)
  await sleep(50)
  const wrong = asked.filter(
    ({ status, closed, message: { ok, after } }) => !isAcceptable(status, ok) || (after !== undefined && closed !== (after === 'closed')),
  )
  for (const each of asked) each.end()
  return wrong.map(({ status, closed, message }) => `${message.name}: ${status}${closed ? ', closed' : ''}`)
}

for (const way of ['tcp', 'tls', 'ws', 'wss'] as const) {
  const oracle = way === 'tcp' || way === 'tls' ? 'rfc4475-tcp-oracle.json' : 'rfc4475-oracle.json'
  for (const bytewise of way === 'tcp' || way === 'tls' ? [false, true] : [false]) {
    test(`all 49 messages of RFC 4475 over ${way}${bytewise ? ', byte by byte,' : ''} get an acceptable answer from a live agent`, async () => {
      const { agent, transport } = await openLiveAgent(listen)
      const port = transport.listening.find((each) => each.transport === way)?.port ?? 0
      const cases = tortureCases('rfc4475', oracle)
      assert.equal(cases.length, 49)
      assert.deepEqual(
        await unacceptable(
          cases.map((message) => [message, port] as const),
          way,
          bytewise,
        ),
        [],
      )
      await agent.close()
    })
  }

  // Several share branch, Call-ID and CSeq: one agent would rightly take them for retransmissions.
  test(`all 12 messages of RFC 5118 over ${way} get an acceptable answer from an agent each`, async () => {
    const agents = await Promise.all(tortureCases('rfc5118').map(async (message) => ({ message, ...(await openLiveAgent(listen)) })))
    const cases = agents.map(
      ({ message, transport }) => [message, transport.listening.find((each) => each.transport === way)?.port ?? 0] as const,
    )
    assert.deepEqual(await unacceptable(cases, way), [])
    await Promise.all(agents.map(({ agent }) => agent.close()))
  })
}

test('each message of RFC 4475 and 5118, cut in two at every byte, gives the frames that it gives whole', () => {
  let cuts = 0
  for (const { name, bytes } of [...tortureCases('rfc4475'), ...tortureCases('rfc5118')]) {
    const whole = JSON.stringify(new StreamFramer().push(bytes))
    for (let cut = 1; cut < bytes.length; cut++, cuts++) {
      const framer = new StreamFramer()
      const frames = [...framer.push(bytes.subarray(0, cut)), ...framer.push(bytes.subarray(cut))]
      if (JSON.stringify(frames) !== whole) assert.fail(`${name} cut at ${cut}`)
    }
  }
  assert.ok(cuts > 25_000, String(cuts))
})
