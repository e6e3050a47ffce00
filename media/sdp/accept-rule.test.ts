import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptRule } from '#media/sdp/accept-rule.ts'
import { inNetwork, parseIp, sameAddress } from '#media/sdp/address.ts'

const OURS = ['192.168.0.0/16', 'fd00:1::/32']

const TABLE: readonly [sdp: string, signalling: string, expected: 'exact' | 'latch', why: string][] = [
  ['198.51.100.7', '198.51.100.7', 'exact', 'the same address'],
  ['192.168.1.5', '192.168.1.5', 'exact', 'the same private address'],
  ['127.0.0.1', '127.0.0.1', 'exact', 'the same loopback address'],
  ['::ffff:198.51.100.7', '198.51.100.7', 'exact', 'the same address, written as mapped IPv6'],
  ['2001:DB8:0:0::7', '2001:db8::7', 'exact', 'the same IPv6 address, written otherwise'],
  ['203.0.113.9', '198.51.100.7', 'exact', 'a public media gateway beside the signalling'],
  ['203.0.113.9', '192.168.1.5', 'exact', 'a public media gateway behind a proxy of ours'],
  ['127.0.0.2', '127.0.0.1', 'exact', 'programs on this machine'],
  ['::1', '127.0.0.1', 'exact', 'programs on this machine, by either family'],
  ['127.0.0.1', '198.51.100.7', 'latch', 'loopback of another machine'],
  ['127.0.0.1', '192.168.1.5', 'latch', 'loopback of another machine near by'],
  ['192.168.1.6', '192.168.1.5', 'exact', 'a gateway in a local network'],
  ['fd00:1::6', 'fd00:1::5', 'exact', 'a gateway in a local IPv6 network'],
  ['192.168.1.6', '127.0.0.1', 'exact', 'our own network, signalled by a program on this machine'],
  ['192.168.1.6', '198.51.100.7', 'latch', 'a far network numbered like ours'],
  ['10.1.2.3', '198.51.100.7', 'latch', 'a phone behind NAT'],
  ['10.1.2.3', '192.168.1.5', 'latch', 'a phone behind a NAT near by'],
  ['100.64.3.3', '198.51.100.7', 'latch', "a phone behind a carrier's NAT"],
  ['169.254.1.1', '198.51.100.7', 'latch', 'link-local'],
  ['fd99::1', '2001:db8::1', 'latch', 'a far IPv6 network of its own'],
  ['0.0.0.0', '198.51.100.7', 'latch', 'nowhere'],
  ['media.example.com', '198.51.100.7', 'latch', 'a name'],
]

for (const [sdpAddress, signallingAddress, expected, why] of TABLE) {
  test(`SDP ${sdpAddress}, signalling ${signallingAddress}: ${expected} (${why})`, () => {
    const accept = acceptRule({ sdpAddress, signallingAddress, localNetworks: OURS })
    assert.deepEqual(accept, expected === 'exact' ? { mode: 'exact' } : { mode: 'latch', address: signallingAddress })
  })
}

test('addresses are read in every notation, and nothing else is', () => {
  assert.deepEqual(parseIp('::ffff:192.0.2.1'), [192, 0, 2, 1])
  assert.equal(parseIp('1:2:3:4:5:6:7:8')?.length, 16)
  assert.equal(parseIp('1::')?.length, 16)
  for (const wrong of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7',
    'g::',
    '1.2.3.4:5',
    '[::1]',
    'fe80::1%eth0',
  ])
    assert.equal(parseIp(wrong), null, wrong)
})

test('networks hold what lies in them, to the bit', () => {
  const inside = (address: string, cidr: string): boolean => inNetwork(parseIp(address) ?? [], cidr)
  assert.ok(inside('172.31.255.255', '172.16.0.0/12'))
  assert.ok(!inside('172.32.0.0', '172.16.0.0/12'))
  assert.ok(inside('8.8.8.8', '0.0.0.0/0'))
  assert.ok(inside('10.0.0.1', '10.0.0.1'))
  assert.ok(!inside('10.0.0.1', '10.0.0.0/33'))
  assert.ok(!inside('10.0.0.1', '10.0.0.0/x'))
  assert.ok(!inside('::1', '0.0.0.0/0'))
  assert.ok(sameAddress('Media.Example', 'media.example'))
  assert.ok(!sameAddress('media.example', '1.2.3.4'))
})
