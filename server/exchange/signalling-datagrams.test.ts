import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import { signallingDatagrams } from '#server/exchange/signalling-datagrams.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import { PortTakenError } from '#sip/transport/port-taken.ts'
import { SipTransport } from '#sip/transport/sip-transport.ts'
import { isFlow } from '#sip/transport/transport.ts'

interface Ears {
  onRequest?: (request: SipRequest, answer: (status: number) => void) => void
  onResponse?: (response: SipResponse) => void
}

/** A transport over the datagrams that an exchange uses. */
async function listening(address: string, ears: Ears, port = 0): Promise<SipTransport> {
  const transport = new SipTransport(systemClock, new TimerWheel(systemClock), {
    udp: [{ address, port, setting: 'TEST_PORT' }],
    datagrams: signallingDatagrams(),
  })
  await transport.start({
    onRequest: (request, flow) =>
      ears.onRequest?.(request, (status) => void transport.send(flow, serialize(buildResponse(request, status)))),
    onResponse: (response) => ears.onResponse?.(response),
    onFlowFailed: () => undefined,
  })
  return transport
}

for (const address of ['127.0.0.1', '::1'])
  test(`a request arrives, and its answer comes back to where it came from (${address})`, async () => {
    const answered = Promise.withResolvers<number>()
    const server = await listening(address, { onRequest: (_request, answer) => answer(200) })
    const client = await listening(address, { onResponse: ({ status }) => answered.resolve(status) })
    const flow = client.open({ transport: 'udp', address, port: server.listening[0]?.port ?? 0 })
    assert.ok(isFlow(flow))
    const headers: [string, string][] = [
      ['Via', 'SIP/2.0/UDP name.invalid:1;rport;branch=z9hG4bK1'],
      ['Max-Forwards', '70'],
      ['From', '<sip:a@example.org>;tag=1'],
      ['To', '<sip:b@example.org>'],
      ['Call-ID', 'call'],
      ['CSeq', '1 OPTIONS'],
    ]
    client.send(flow, serialize(buildRequest({ method: 'OPTIONS', uri: 'sip:b@example.org', headers })))
    assert.equal(await answered.promise, 200)
    await Promise.all([server.close(), client.close()])
  })

test('a taken port is refused with its setting', async () => {
  const first = await listening('127.0.0.1', {})
  const port = first.listening[0]?.port ?? 0
  await assert.rejects(
    listening('127.0.0.1', {}, port),
    (error: unknown) => error instanceof PortTakenError && error.message.includes('TEST_PORT'),
  )
  await first.close()
})
