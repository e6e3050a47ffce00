import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import type { Flow, IncomingInvite } from '#sip/agent.ts'
import { Api } from '#test/support/api.ts'
import { DnsServer } from '#test/support/dns-server.ts'
import { until } from '#test/support/sounds.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { RunningSystem } from '#test/system/running-system.ts'

const validity = { from: Date.now() - 86_400_000, to: Date.now() + 86_400_000 }
const authority = makeAuthority('Carrier authority', validity)
const random = { hex: (bytes: number): string => randomBytes(bytes).toString('hex'), below: (limit: number): number => randomInt(limit) }

/** A carrier's exchange over TLS that refuses every call as busy and keeps how each came. */
async function openCarrier(name: string) {
  const calls: { flow: Flow; uri: string }[] = []
  const { agent, transport } = simpleAgent({
    ...{ clock: systemClock, random, log: silentLog, product: 'Carrier' },
    listen: {
      tls: [{ address: '127.0.0.1', port: 0, setting: 'test' }],
      keys: { certificates: [issueFor([name], validity, authority)] },
    },
    onInvite: (incoming: IncomingInvite) => {
      calls.push({ flow: incoming.flow, uri: incoming.request.uri })
      incoming.reject(486)
    },
  })
  await agent.start()
  return { agent, calls, port: transport.listening[0]?.port ?? 0 }
}

const number = '+37160000100'
const documentsWith = (trunk: object): object[] => [
  {
    ...{ kind: 'company', id: 'located', name: 'Located', timezone: 'Europe/Riga', country: 'LV', language: 'en' },
    sipDomains: ['located.example'],
  },
  { kind: 'device', id: '101', username: '101', password: 'Located.101', encryption: 'off' },
  { kind: 'extension', id: '101', number: '101', target: { device: '101' } },
  { kind: 'number', id: 'main', number, target: { extension: '101' } },
  { kind: 'trunk', id: 'carrier', host: 'carrier.example', healthSeconds: 1, ...trunk },
  { kind: 'outbound', id: 'outbound', routes: [{ name: 'all', trunks: ['carrier'] }] },
]

describe('a trunk over TLS that is found by its name', () => {
  let system: RunningSystem
  let dns: DnsServer
  let operator: Api
  let first: Awaited<ReturnType<typeof openCarrier>>
  let second: Awaited<ReturnType<typeof openCarrier>>
  let phone: WirePhone

  before(async () => {
    dns = await DnsServer.open()
    dns.ttl = 1
    first = await openCarrier('carrier.example')
    second = await openCarrier('carrier.example')
    const naptr = { ...{ order: 1, preference: 1, flags: 's', regexp: '' }, service: 'SIPS+D2T', replacement: '_sips._tcp.carrier.example' }
    dns.zone.set('NAPTR carrier.example', [{ type: 'NAPTR', ...naptr }])
    dns.zone.set('SRV _sips._tcp.carrier.example', [
      { type: 'SRV', priority: 1, weight: 1, port: first.port, target: 'edge.provider.example' },
      { type: 'SRV', priority: 2, weight: 1, port: second.port, target: 'edge.provider.example' },
    ])
    dns.zone.set('A edge.provider.example', [{ type: 'A', address: '127.0.0.1' }])
    system = await RunningSystem.start({ CENTRALA_DNS_SERVERS: `127.0.0.1:${dns.port}` })
    operator = await Api.of(system.settings, 'operator', 'demo')
    await operator.give('PUT', '/v1/configuration', { documents: documentsWith({ tls: { authorities: authority.chain } }) })
    phone = await WirePhone.open(
      { user: '101', domain: 'located.example', password: 'Located.101' },
      { address: '127.0.0.1', port: system.settings.sip.port },
    )
    assert.equal((await phone.register()).status, 200)
  })
  after(async () => {
    await phone[Symbol.asyncDispose]()
    await system[Symbol.asyncDispose]()
    await Promise.all([first.agent.close(), second.agent.close()])
    await dns[Symbol.asyncDispose]()
  })

  const isUp = async (): Promise<boolean> => {
    const { trunks } = await operator.get<{ trunks: { id: string; state: string }[] }>('/v1/trunks')
    return trunks.some(({ id, state }) => id === 'carrier' && state === 'up')
  }

  test('NAPTR and SRV lead to it, its certificate is for the name, and calls share one connection', async () => {
    await until('the trunk is up', isUp)
    for (let i = 0; i < 2; i++) assert.equal((await phone.call('+37167000001')).status, 486)
    assert.deepEqual(
      first.calls.map(({ flow, uri }) => [flow.transport, uri.split('@')[0]]),
      [
        ['tls', 'sip:+37167000001'],
        ['tls', 'sip:+37167000001'],
      ],
    )
    assert.equal(first.calls[0]?.flow.connection, first.calls[1]?.flow.connection)
  })

  test('when the first target dies, and the name servers too, calls take the second', async () => {
    dns.isSilent = true
    await first.agent.close()
    assert.equal((await phone.call('+37167000002')).status, 486)
    assert.equal(second.calls.length, 1)
    assert.ok(await isUp())
  })

  test('a carrier whom nobody trusted vouches for is not spoken to, unless it is said that anyone will do', async () => {
    dns.isSilent = false
    await operator.give('PUT', '/v1/configuration', { documents: documentsWith({ name: 'Unpinned' }) })
    await until('the trunk is down', async () => !(await isUp()))
    assert.equal((await phone.call('+37167000003')).status, 480)
    assert.equal(second.calls.length, 1)
    await operator.give('PUT', '/v1/configuration', { documents: documentsWith({ tls: { trust: 'anyone' } }) })
    await until('the trunk is up', isUp)
    assert.equal((await phone.call('+37167000004')).status, 486)
    assert.equal(second.calls.length, 2)
  })
})
