import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { countingRandom } from '#base/ids.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow, TransportName } from '#sip/agent.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import { MemoryNetwork, type MemoryTransport } from '#sip/transport/memory-transport.ts'
import { SipTransport } from '#sip/transport/sip-transport.ts'
import { isFlow, type Transport, type TransportReceiver } from '#sip/transport/transport.ts'

/** What arrives, awaited one by one: a request or response, or the reason of a failed flow. */
class Arrivals implements TransportReceiver {
  readonly #arrived: { what: SipRequest | SipResponse | string; flow: Flow }[] = []
  #wake: () => void = () => undefined

  onRequest(request: SipRequest, flow: Flow): void {
    this.#note(request, flow)
  }
  onResponse(response: SipResponse, flow: Flow): void {
    this.#note(response, flow)
  }
  onFlowFailed(flow: Flow, why: string): void {
    this.#note(why, flow)
  }
  async request(): Promise<{ request: SipRequest; flow: Flow }> {
    const { what, flow } = await this.next()
    assert.ok(typeof what !== 'string' && what.kind === 'request', `a request was awaited, not ${JSON.stringify(what)}`)
    return { request: what, flow }
  }
  async response(): Promise<SipResponse> {
    const { what } = await this.next()
    assert.ok(typeof what !== 'string' && what.kind === 'response', `a response was awaited, not ${JSON.stringify(what)}`)
    return what
  }
  async failure(): Promise<string> {
    const { what } = await this.next()
    assert.ok(typeof what === 'string')
    return what
  }
  async next(): Promise<{ what: SipRequest | SipResponse | string; flow: Flow }> {
    for (;;) {
      const first = this.#arrived.shift()
      if (first !== undefined) return first
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
  #note(what: SipRequest | SipResponse | string, flow: Flow): void {
    this.#arrived.push({ what, flow })
    this.#wake()
  }
}

interface Host {
  transport: Transport
  arrivals: Arrivals
  at: Flow['local']
}
interface Net {
  one: Host
  two: Host
  /** An address of the same protocol where nobody is. */
  nobody: Flow['local']
  close: () => Promise<void>
}

function memoryNet(): Promise<Net> {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(clock, countingRandom())
  const host = (address: string): Host & { transport: MemoryTransport } => {
    const arrivals = new Arrivals()
    const transport = network.host(address)
    void transport.start(arrivals)
    return { transport, arrivals, at: transport.local }
  }
  const [one, two] = [host('192.0.2.1'), host('192.0.2.2')]
  // Virtual time goes on by itself here, since the sockets' does.
  let open = true
  const turn = async (): Promise<void> => {
    while (open) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      clock.advance(10)
    }
  }
  void turn()
  const close = async (): Promise<void> => {
    open = false
    await Promise.all([one.transport.close(), two.transport.close()])
  }
  return Promise.resolve({ one, two, nobody: { address: '192.0.2.3', port: 5060 }, close })
}

async function socketNet(name: TransportName, address: string): Promise<Net> {
  const wheel = new TimerWheel(systemClock)
  const host = async (): Promise<Host> => {
    const arrivals = new Arrivals()
    const transport = new SipTransport(systemClock, wheel, { [name]: [{ address, port: 0, setting: 'TEST_PORT' }] })
    await transport.start(arrivals)
    return { transport, arrivals, at: { address, port: transport.listening[0]?.port ?? 0 } }
  }
  const [one, two, gone] = [await host(), await host(), await host()]
  await gone.transport.close()
  const close = async (): Promise<void> => {
    await Promise.all([one.transport.close(), two.transport.close()])
    assert.equal(wheel.size, 0, 'no timer remains')
  }
  return { one, two, nobody: gone.at, close }
}

function options(via: string): SipRequest {
  return buildRequest({
    method: 'OPTIONS',
    uri: 'sip:somebody@example.org',
    headers: [
      ['Via', via],
      ['Max-Forwards', '70'],
      ['From', '<sip:a@example.org>;tag=1'],
      ['To', '<sip:b@example.org>'],
      ['Call-ID', 'call'],
      ['CSeq', '1 OPTIONS'],
    ],
  })
}

function flowTo({ transport }: Host, name: TransportName, { address, port }: Flow['local']): Flow {
  const flow = transport.open({ transport: name, address, port })
  assert.ok(isFlow(flow))
  return flow
}

const bodies: { name: string; transport: TransportName; open: () => Promise<Net> }[] = [
  { name: 'memory UDP', transport: 'udp', open: memoryNet },
  { name: 'memory TCP', transport: 'tcp', open: memoryNet },
  { name: 'UDP on IPv4', transport: 'udp', open: () => socketNet('udp', '127.0.0.1') },
  { name: 'UDP on IPv6', transport: 'udp', open: () => socketNet('udp', '::1') },
  { name: 'TCP on IPv4', transport: 'tcp', open: () => socketNet('tcp', '127.0.0.1') },
  { name: 'TCP on IPv6', transport: 'tcp', open: () => socketNet('tcp', '::1') },
]

for (const { name, transport, open } of bodies) {
  test(`${name}: a request arrives with its source in the Via, and its answer goes back over the flow it came by`, async () => {
    const { one, two, close } = await open()
    const out = flowTo(one, transport, two.at)
    assert.equal(
      one.transport.send(out, serialize(options(`SIP/2.0/${transport.toUpperCase()} name.invalid:1;rport;branch=z9hG4bK1`))),
      true,
    )
    const { request, flow } = await two.arrivals.request()
    const { via } = request.headers
    assert.deepEqual([via.received, via.rport], [flow.remote.address, flow.remote.port])
    assert.equal(flow.transport, transport)
    assert.equal(flow.connection === null, transport === 'udp')
    assert.equal(two.transport.send(flow, serialize(buildResponse(request, 200))), true)
    assert.equal((await one.arrivals.response()).status, 200)
    await close()
  })

  test(`${name}: a second message to the same peer takes the same path`, async () => {
    const { one, two, close } = await open()
    for (const n of [1, 2]) {
      one.transport.send(flowTo(one, transport, two.at), serialize(options(`SIP/2.0/${transport.toUpperCase()} h;branch=z9hG4bK${n}`)))
    }
    const [first, second] = [await two.arrivals.request(), await two.arrivals.request()]
    assert.deepEqual(first.flow, second.flow)
    await close()
  })

  test(`${name}: a malformed request is answered by name and goes no further`, async () => {
    const { one, two, close } = await open()
    const text = serialize(options(`SIP/2.0/${transport.toUpperCase()} h;rport;branch=z9hG4bK1`))
      .toString()
      .replace('CSeq: 1 OPTIONS', 'CSeq: 1 INVITE')
    one.transport.send(flowTo(one, transport, two.at), Buffer.from(text))
    const response = await one.arrivals.response()
    assert.deepEqual([response.status, response.reason], [400, 'Bad Request (cseq-method)'])
    assert.notEqual(response.headers.to.tag, undefined)
    await close()
  })

  test(`${name}: where nobody listens, the flow fails`, async () => {
    const { one, nobody, close } = await open()
    const flow = flowTo(one, transport, nobody)
    one.transport.send(flow, serialize(options(`SIP/2.0/${transport.toUpperCase()} h;branch=z9hG4bK1`)))
    one.transport.probe(flow)
    const { what, flow: failed } = await one.arrivals.next()
    assert.equal(what, 'ECONNREFUSED')
    assert.deepEqual(failed.remote, nobody)
    await close()
  })

  test(`${name}: after closing nothing can be opened or sent, and closing again does no harm`, async () => {
    const { one, two, close } = await open()
    const flow = flowTo(one, transport, two.at)
    await one.transport.close()
    assert.equal(isFlow(one.transport.open({ transport, ...two.at })), false)
    assert.equal(one.transport.send(flow, serialize(options('SIP/2.0/UDP h;branch=z9hG4bK1'))), false)
    await close()
  })
}

test('a broken connection fails at both ends', async () => {
  const { one, two, close } = await socketNet('tcp', '127.0.0.1')
  one.transport.send(flowTo(one, 'tcp', two.at), serialize(options('SIP/2.0/TCP h;branch=z9hG4bK1')))
  await two.arrivals.request()
  await one.transport.close()
  assert.equal(await two.arrivals.failure(), 'closed by the peer')
  await close()
})
