import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '#contract/api/operation.ts'
import { centrala } from '#test/operation/command.ts'
import { claimPort } from '#test/support/ports.ts'
import { RunningSystem } from '#test/system/running-system.ts'
import { Kamailio, withoutKamailio } from '#test/trunks/kamailio.ts'

test('the doctor asks STUN servers how our SIP port is seen, and holds that against what is configured', {
  skip: withoutKamailio,
  timeout: 180_000,
}, async () => {
  const port = await claimPort()
  const behind = { address: '127.0.0.1', port: 9 }
  await using _one = await Kamailio.start({ address: '127.0.0.91', port, behind, account: 'nobody' })
  await using _other = await Kamailio.start({ address: '127.0.0.92', port, behind, account: 'nobody' })
  await using system = await RunningSystem.start({
    CENTRALA_STUN_SERVERS: `127.0.0.91:${port},127.0.0.92:${port},127.0.0.93:${port}`,
    CENTRALA_PUBLIC_ADDRESS: '203.0.113.9',
  })
  const { text } = await centrala(['doctor', '--json'], system.environment)
  const { findings } = JSON.parse(text) as { findings: Finding[] }
  const of = (check: string): Finding => findings.find((each) => each.check === check) ?? assert.fail(`no ${check} in ${text}`)
  const address = of('public address')
  assert.deepEqual([address.state, address.detail], ['bad', 'CENTRALA_PUBLIC_ADDRESS is 203.0.113.9, but STUN servers see 127.0.0.1'])
  assert.match(address.todo, /^Set CENTRALA_PUBLIC_ADDRESS=127\.0\.0\.1/)
  const sip = system.settings.sip.port
  assert.deepEqual([of('NAT').state, of('NAT').detail], ['well', `none: SIP port ${sip} is seen as 127.0.0.1:${sip}`])
  assert.deepEqual([of('STUN').state, of('STUN').detail], ['warning', `127.0.0.93:${port}: no answer`])
})
