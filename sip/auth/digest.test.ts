import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestResponse, ha1, type HashAlgorithm } from '#sip/auth/digest.ts'

const MUFASA = {
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  method: 'GET',
  uri: '/dir/index.html',
  qop: { kind: 'auth', nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' },
} as const

const published: [algorithm: HashAlgorithm, response: string][] = [
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
]
for (const [algorithm, response] of published) {
  test(`the example of RFC 7616 §3.9.1 comes out for ${algorithm}`, () => {
    const secret = ha1(algorithm, 'Mufasa', 'http-auth@example.org', 'Circle of Life')
    assert.equal(digestResponse({ algorithm, ha1: secret, ...MUFASA }), response)
  })
}

test('the example of RFC 2617 §3.5 comes out', () => {
  const response = digestResponse({
    algorithm: 'MD5',
    ha1: ha1('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life'),
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    method: 'GET',
    uri: '/dir/index.html',
    qop: { kind: 'auth', nc: '00000001', cnonce: '0a4f113b' },
  })
  assert.equal(response, '6629fae49393a05397450978507c4ef1')
})

test('without qop the reckoning of RFC 2069 is used', () => {
  const response = digestResponse({
    algorithm: 'MD5',
    ha1: ha1('MD5', 'Mufasa', 'testrealm@host.com', 'Circle Of Life'),
    nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
    method: 'GET',
    uri: '/dir/index.html',
  })
  assert.equal(response, '670fd8c2df070c60b045671b8b24ff02')
})

test('auth-int and -sess change the response', () => {
  const secret = ha1('SHA-256', 'a', 'b', 'c')
  const plain = { algorithm: 'SHA-256', ha1: secret, nonce: 'n', method: 'INVITE', uri: 'sip:x' } as const
  const qop = { nc: '00000001', cnonce: 'q' }
  const responses = [
    digestResponse({ ...plain, qop: { kind: 'auth', ...qop } }),
    digestResponse({ ...plain, qop: { kind: 'auth-int', ...qop } }),
    digestResponse({ ...plain, qop: { kind: 'auth-int', ...qop, body: Buffer.from('v=0') } }),
    digestResponse({ ...plain, sess: true, qop: { kind: 'auth', ...qop } }),
  ]
  assert.equal(new Set(responses).size, 4)
})
