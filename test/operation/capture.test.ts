import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { CallView, TimelineView } from '#contract/api/calls.ts'
import type { Static } from 'typebox'
import { type CapturedPacket, readPcapng } from '#media/capture/pcapng.ts'
import { centrala } from '#test/operation/command.ts'
import { Api, caughtUp, peopled, talking } from '#test/survival/company.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** From, to, how much of a UDP datagram's payload was kept, and how much there was. */
function datagram({ bytes, wireBytes }: CapturedPacket): { from: number; to: number; kept: Buffer; wire: number } {
  const packet = Buffer.from(bytes)
  return { from: packet.readUInt16BE(20), to: packet.readUInt16BE(22), kept: packet.subarray(28), wire: wireBytes - 28 }
}

async function liveCall(api: Api): Promise<string> {
  const live = (await api.ask('GET', '/v1/calls/live')) as { calls: CallView[] }
  assert.ok(live.calls[0])
  return live.calls[0].id
}

test('the packets of a call come as a file: SIP always, RTP headers when asked, audio when asked for that', {
  timeout: 180_000,
}, async (t) => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  const folder = await mkdtemp(join(tmpdir(), 'centrala-capture-'))
  t.after(() => rm(folder, { recursive: true }))
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 1)
  const [pair] = pairs
  assert.ok(pair)
  const id = await liveCall(api)
  const capture = async (...words: string[]): Promise<CapturedPacket[]> => {
    const file = join(folder, 'call.pcapng')
    const made = await centrala(['capture', id, file, '--force', '--company', 'demo', ...words], system.environment)
    assert.equal(made.code, 0, made.text)
    return readPcapng(await readFile(file))
  }

  const sip = system.settings.sip.port
  const signalling = (await capture()).map(datagram)
  assert.ok(signalling.every(({ from, to, kept, wire }) => (from === sip || to === sip) && kept.length === wire))
  const lines = signalling.map(({ kept }) => kept.toString().split('\r\n')[0] ?? '')
  assert.match(lines[0] ?? '', /^INVITE /)
  assert.ok(lines.includes('SIP/2.0 200 OK'))
  assert.ok(signalling.some(({ kept }) => /^Proxy-Authorization: .*\*\*\*/m.test(kept.toString()) || !/uthorization/.test(kept.toString())))

  const talkers = [pair.caller.talker.port, pair.callee.talker.port]
  const headers = (await capture('--rtp', '1')).map(datagram).filter(({ from, to }) => from !== sip && to !== sip)
  for (const port of talkers) {
    const heard = headers.filter(({ from }) => from === port)
    const told = headers.filter(({ to }) => to === port)
    assert.ok(heard.length > 20 && told.length > 20, `${heard.length} packets from ${port}, ${told.length} to it`)
    for (const { kept, wire } of [...heard, ...told]) assert.deepEqual([kept.length, wire, (kept[0] ?? 0) >> 6], [12, 172, 2])
  }

  const whole = (await capture('--audio', '1')).map(datagram).filter(({ from, kept }) => talkers.includes(from) && kept.length === 172)
  assert.ok(whole.length > 20)
  const { facts } = (await api.ask('GET', `/v1/calls/${id}/timeline`)) as Static<typeof TimelineView>
  const told = facts.filter((fact) => fact.kind === 'call.captured')
  assert.deepEqual(
    told.map((fact) => [fact.by, fact.audio]),
    [
      ['Operator at the terminal', false],
      ['Operator at the terminal', true],
    ],
  )
  await caughtUp(pairs)
  beat[Symbol.dispose]()
  pair.caller.dialog?.bye()
  await pair.callee.untilEnded()
  assert.ok((await capture()).length > headers.length, 'what was captured is there when the call is over')
})
