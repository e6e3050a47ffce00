import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { DnsResolver, inOrder } from '#sip/transport/resolver.ts'

function zone() {
  let up = true
  let asked = 0
  const answer = <T>(table: Record<string, T[]>, name: string): Promise<T[]> => {
    asked++
    const found = table[name]
    return up && found !== undefined ? Promise.resolve(found) : Promise.reject(new Error('ENOTFOUND'))
  }
  const a: Record<string, string[]> = { 'one.example': ['192.0.2.1'], 'two.example': ['192.0.2.2'], 'plain.example': ['192.0.2.9'] }
  const srv = {
    '_sip._udp.carrier.example': [
      { priority: 20, weight: 0, name: 'two.example', port: 5070 },
      { priority: 10, weight: 0, name: 'one.example', port: 5060 },
    ],
  }
  return {
    lookups: {
      resolve4: (host: string) => answer(a, host),
      resolve6: (host: string) => answer<string>({ 'one.example': ['2001:db8::1'] }, host),
      resolveSrv: (name: string) => answer(srv, name),
    },
    down: () => (up = false),
    asked: () => asked,
  }
}

test('SRV gives targets by priority, each with its addresses; without SRV or with a port A and AAAA decide', async () => {
  const { lookups } = zone()
  const resolver = new DnsResolver(new VirtualClock(), countingRandom(), lookups)
  const found = async (host: string, port: number | null): Promise<string[]> =>
    (await resolver.resolve(host, port, 'udp')).map((d) => `${d.address} ${d.port}`)
  assert.deepEqual(await found('carrier.example', null), ['192.0.2.1 5060', '2001:db8::1 5060', '192.0.2.2 5070'])
  assert.deepEqual(await found('plain.example', null), ['192.0.2.9 5060'])
  assert.deepEqual(await found('plain.example', 5080), ['192.0.2.9 5080'])
  assert.deepEqual(await found('203.0.113.4', null), ['203.0.113.4 5060'])
  assert.deepEqual(await found('nowhere.example', null), [])
})

test('an answer serves from the cache, and for an hour while the name servers are silent', async () => {
  const clock = new VirtualClock()
  const { lookups, down, asked } = zone()
  const resolver = new DnsResolver(clock, countingRandom(), lookups)
  const first = await resolver.resolve('plain.example', 5060, 'tcp')
  const before = asked()
  clock.advance(10_000)
  assert.deepEqual(await resolver.resolve('plain.example', 5060, 'tcp'), first)
  assert.equal(asked(), before)
  down()
  clock.advance(3_000_000)
  assert.deepEqual(await resolver.resolve('plain.example', 5060, 'tcp'), first)
  clock.advance(1_000_000)
  assert.deepEqual(await resolver.resolve('plain.example', 5060, 'tcp'), [])
})

test('within a priority the draw follows the weights (RFC 2782)', () => {
  const services = [
    { priority: 1, weight: 90, name: 'often' },
    { priority: 1, weight: 10, name: 'seldom' },
  ]
  let drawn = 0
  const random = { hex: () => '', below: (limit: number) => drawn++ % limit }
  let often = 0
  for (let i = 0; i < 1010; i++) if (inOrder(services, random)[0]?.name === 'often') often++
  assert.ok(often > 850 && often < 950, String(often))
})
