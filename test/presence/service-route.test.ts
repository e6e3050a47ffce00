import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LadderView } from '#contract/api/calls.ts'
import { PhoneCompany } from '#test/phones/company.ts'
import { EdgeProxy } from '#test/presence/edge.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import { claimPort } from '#test/support/ports.ts'
import { withoutKamailio } from '#test/trunks/kamailio.ts'

test('a linphone that registers with us goes by the proxy that our Service-Route names when it calls (RFC 3608)', {
  skip: noLinphone || noBaresip || withoutKamailio,
}, async () => {
  const at = { address: '127.0.0.1', port: await claimPort() }
  await using company = await PhoneCompany.start({ CENTRALA_SIP_SERVICE_ROUTE: `sip:127.0.0.1:${at.port};lr` })
  await using _edge = await EdgeProxy.start(at, { address: '127.0.0.1', port: company.system.settings.sip.port })
  await using caller = await Linphone.start(company.phone('103', 'udp'))
  await using callee = await Baresip.start(company.phone('102', 'udp'))
  const mark = company.facts.mark
  const hears = callee.said.mark
  await caller.call('102')
  await callee.incoming(hears)
  await callee.answer()
  await callee.talking(hears)
  const { call } = await company.facts.next('bridge.joined', () => true, mark)
  await caller.hangUp()
  await callee.ended(hears)
  const { messages } = await company.api.get<LadderView>(`/v1/calls/${call}/ladder`)
  const asked = messages.find(({ direction, summary }) => direction === 'in' && summary.startsWith('INVITE ')) ?? assert.fail('no INVITE')
  assert.equal(asked.remote, `127.0.0.1:${at.port}`, asked.text)
  assert.match(asked.text, /^Via: .*\r?\nVia: /m, 'the proxy’s and the phone’s')
})
