import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWithin, networksOf, overlap } from '#server/trunks/networks.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'

test('a set of networks has what lies in it, of either family, and leaves out names and nonsense', () => {
  const set = networksOf(['203.0.113.7', '10.0.0.0/8', '2001:db8::/32', 'carrier.example', '10.0.0.0/99', 'x/8'])
  for (const address of ['203.0.113.7', '10.255.0.1', '2001:db8::1']) assert.ok(isWithin(set, address), address)
  for (const address of ['203.0.113.8', '11.0.0.1', '2001:db9::1', 'carrier.example']) assert.ok(!isWithin(set, address), address)
})

test('two sources overlap when an address belongs to both, or both are one name', () => {
  for (const [one, other] of [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.0.0/16'],
    ['2001:db8::/32', '2001:db8:1::/48'],
    ['203.0.113.7', '::ffff:203.0.113.7'],
    ['Carrier.Example', 'carrier.example'],
  ] as const) {
    assert.ok(overlap(one, other) && overlap(other, one), `${one} ${other}`)
  }
  for (const [one, other] of [
    ['203.0.113.7', '203.0.113.8'],
    ['203.0.113.0/25', '203.0.113.128/25'],
    ['2001:db8::/32', '203.0.113.7'],
    ['carrier.example', 'a.carrier.example'],
    ['carrier.example', '203.0.113.7'],
  ] as const) {
    assert.ok(!overlap(one, other) && !overlap(other, one), `${one} ${other}`)
  }
})

test('what the operator shares is shared as a whole only', () => {
  const shared = new SharedSources(['198.51.100.0/24', '192.0.2.1', 'Carrier.example'])
  for (const source of ['198.51.100.9', '198.51.100.0/24', '198.51.100.64/26', '192.0.2.1', 'carrier.EXAMPLE'])
    assert.ok(shared.covers(source), source)
  for (const source of ['198.51.0.0/16', '198.51.101.1', '192.0.2.0/31', 'sip.carrier.example']) assert.ok(!shared.covers(source), source)
})
