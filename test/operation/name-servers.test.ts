import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '#contract/api/operation.ts'
import { centrala } from '#test/operation/command.ts'
import { DnsServer } from '#test/support/dns-server.ts'
import { acme, AcmeSystem, trunk } from '#test/trunks/acme.ts'

test('the doctor asks each name server by itself, and tells which of them is silent though another serves', {
  timeout: 180_000,
}, async () => {
  await using dns = await DnsServer.open()
  await using silent = await DnsServer.open()
  silent.isSilent = true
  dns.zone.set('A sip.carrier.example', [{ type: 'A', address: '127.0.0.77' }])
  const servers = [dns, silent].map(({ port }) => `127.0.0.1:${port}`)
  await using at = await AcmeSystem.start(acme(trunk('named', 'sip.carrier.example', 5_060)), { CENTRALA_DNS_SERVERS: servers.join(',') })
  const { text } = await centrala(['doctor', '--json'], at.system.environment)
  const { findings } = JSON.parse(text) as { findings: Finding[] }
  const [answers, silence, ...more] = findings.filter(({ check }) => check === 'name servers')
  assert.deepEqual([answers?.state, silence?.state, more.length], ['well', 'warning', 0])
  assert.match(answers?.detail ?? '', new RegExp(`^${servers[0]} answers for sip\\.carrier\\.example within \\d+ ms$`))
  assert.equal(silence?.detail, `${servers[1]}, asked for sip.carrier.example: no name server answered`)
  assert.equal(findings.find(({ check }) => check === 'name of trunk named of demo')?.state, 'well')
})
