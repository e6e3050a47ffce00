import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import type { DnsRecord } from '#sip/location/dns.ts'
import { Locator } from '#sip/location/locator.ts'
import { DnsClient } from '#sip/transport/dns-client.ts'
import { DnsServer } from '#test/support/dns-server.ts'

const random = { hex: () => '', below: (limit: number): number => randomInt(limit) }
const client = (...servers: { port: number }[]): DnsClient =>
  new DnsClient(
    systemClock,
    random,
    () => servers.map(({ port }) => ({ address: '127.0.0.1', port })),
    () => new Map([['here.example', ['127.0.0.5']]]),
  )
const a = (address: string): DnsRecord => ({ type: 'A', address })

test('a carrier is found through NAPTR, SRV and A by a real name server', async () => {
  await using dns = await DnsServer.open()
  const naptr = {
    type: 'NAPTR',
    order: 1,
    preference: 1,
    flags: 'S',
    service: 'SIPS+D2T',
    regexp: '',
    replacement: '_sips._tcp.carrier.example',
  } as const
  dns.zone.set('NAPTR carrier.example', [naptr])
  dns.zone.set('SRV _sips._tcp.carrier.example', [{ type: 'SRV', priority: 1, weight: 1, port: 5071, target: 'edge.example' }])
  dns.zone.set('A edge.example', [a('127.0.0.77')])
  const locator = new Locator(systemClock, random, client(dns))
  assert.deepEqual(await locator.resolve({ host: 'carrier.example', port: null, transport: null }), [
    { transport: 'tls', address: '127.0.0.77', port: 5071, expects: { name: 'carrier.example', trust: 'authorities' } },
  ])
  const before = dns.asked.length
  await locator.resolve({ host: 'carrier.example', port: null, transport: null })
  assert.equal(dns.asked.length, before)
})

test('a silent name server costs a moment, not the answer; what does not fit comes over TCP; the hosts file wins', async () => {
  await using silent = await DnsServer.open()
  await using dns = await DnsServer.open()
  silent.isSilent = true
  dns.zone.set(
    'A big.example',
    Array.from({ length: 60 }, (_, i) => a(`10.0.0.${i}`)),
  )
  dns.udpBytes = 512
  const answer = await client(silent, dns).ask('big.example', 'A')
  assert.equal(answer.kind === 'records' && answer.records.length, 60)
  assert.equal(answer.kind === 'records' && answer.ttl, 60)
  assert.deepEqual(await client().ask('here.example', 'A'), { kind: 'records', records: [a('127.0.0.5')], ttl: 5 })
  assert.deepEqual(await client().ask('there.example', 'A'), { kind: 'failed', why: 'there is no name server' })
  assert.deepEqual(await client(dns).ask('nothing.example', 'A'), { kind: 'none', ttl: 0 })
})
