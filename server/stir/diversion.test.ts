import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { FakeIncoming, Town } from '#calls/testing.ts'
import { compileTrunk } from '#server/config/compile-trunk.ts'
import { CallerIdentity } from '#server/stir/caller-identity.ts'
import { Certificates } from '#server/stir/certificates.ts'
import { readChain } from '#server/stir/chain.ts'
import { IdentitySigner } from '#server/stir/signer.ts'
import { makeCertificates, signedToken } from '#server/stir/testing.ts'
import type { Verdict } from '#server/stir/verdict.ts'
import { IdentityVerifier } from '#server/stir/verifier.ts'
import { formatIdentity, parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport } from '#sip/identity/passport.ts'
import { buildRequest } from '#sip/message/build.ts'

const made = makeCertificates()
const url = 'https://cert.example/shaken.pem'
const numbers = { callers: ['74950000100'], called: ['79160000001'] }

const head = (ppt: string): object => ({ alg: 'ES256', ppt, typ: 'passport', x5u: url })
const said = (verdict: Verdict): (string | number)[] => ('sip' in verdict ? [verdict.verdict, verdict.sip] : [verdict.verdict])

const diverted = (clock: VirtualClock, orig: string, by: string, to: string): object => ({
  dest: { tn: [to.slice(1)] },
  div: { tn: by.slice(1) },
  iat: Math.floor(clock.wall() / 1000),
  orig: { tn: orig.slice(1) },
})

test('a call that was sent on passes when every one who did so has signed, in whatever order the signatures come', async () => {
  const self = 'https://cert.example/self.pem'
  const clock = new VirtualClock(Date.now())
  const certificates = new Certificates({ clock, fetch: (asked) => Promise.resolve(asked === self ? made.selfSigned : made.leaf) })
  const verifier = new IdentityVerifier({ clock, certificates, authorities: readChain(made.authority) ?? assert.fail() })
  const signer = new IdentitySigner(clock)
  signer.configure('acme', { url, certificate: made.leaf, privateKey: made.key })
  signer.configure('nobody', { url: self, certificate: made.selfSigned, privateKey: made.key })
  const of = (headers: readonly (readonly [string, string])[]): string => new Map(headers).get('Identity') ?? assert.fail('not signed')
  const [orig, first, second, third] = ['+74950000100', '+74957770001', '+74957770002', '+79160000001']
  const shaken = of(signer.sign('acme', { orig, dest: first, attest: 'B' }))
  const one = of(signer.divert('acme', { orig, by: first, dest: second }))
  const two = of(signer.divert('acme', { orig, by: second, dest: third }))
  for (const values of [
    [shaken, one, two],
    [two, shaken, one],
    [one, two, shaken],
  ])
    assert.deepEqual(await verifier.verify(values, numbers), { verdict: 'passed', attestation: 'B' })
  const wrong: [string, string[], ...(string | number)[]][] = [
    ['nobody sent it on', [shaken], 'failed', 438],
    ['a link is missing', [shaken, two], 'failed', 438],
    ['the last link leads elsewhere', [shaken, one], 'failed', 438],
    ['of another caller', [shaken, one, of(signer.divert('acme', { orig: '+4930', by: second, dest: third }))], 'failed', 438],
    ['round and round', [shaken, two, of(signer.divert('acme', { orig, by: third, dest: second }))], 'failed', 438],
    [
      'a link signed with another key',
      [shaken, one, formatIdentity(signedToken(head('div'), diverted(clock, orig, second, third), makeCertificates().key), url, 'div')],
      'failed',
      438,
    ],
    [
      'a link of long ago',
      [
        shaken,
        one,
        formatIdentity(
          signedToken(head('div'), { ...diverted(clock, orig, second, third), iat: Math.floor(clock.wall() / 1000) - 90 }, made.key),
          url,
          'div',
        ),
      ],
      'failed',
      403,
    ],
    ['for a link nobody vouches', [shaken, one, of(signer.divert('nobody', { orig, by: second, dest: third }))], 'unsure', 437],
    ['diversions alone', [one, two], 'unsure', 428],
  ]
  for (const [name, values, ...verdict] of wrong) assert.deepEqual(said(await verifier.verify(values, numbers)), verdict, name)
  const direct = of(signer.sign('acme', { orig, dest: third, attest: 'A' }))
  assert.deepEqual(await verifier.verify([direct, 'nonsense', two], numbers), { verdict: 'passed', attestation: 'A' }, 'none is needed')
  assert.deepEqual(signer.divert('acme', { orig, by: 'x', dest: third }), [])
})

test('a call that goes on with its caller takes the proof along, beside ours that we sent it on; without proof it is signed as ever', async () => {
  const clock = new VirtualClock(Date.now())
  const identity = new CallerIdentity({ clock, fetch: () => Promise.resolve(made.leaf), authorities: made.authority })
  identity.configure('acme', { url, certificate: made.leaf, privateKey: { secret: 'x' } }, made.key)
  const signer = new IdentitySigner(clock)
  signer.configure('them', { url, certificate: made.leaf, privateKey: made.key })
  const [caller, ours, dest] = ['+79161234567', '+74950000100', '+4930123456']
  const proof = new Map(signer.sign('them', { orig: caller, dest: ours, attest: 'A' })).get('Identity') ?? ''
  const town = new Town()
  const call = town.call()
  const trunk = compileTrunk({ kind: 'trunk', id: 'in', host: '192.0.2.9' }, null, new Set())
  const incoming = Object.assign(new FakeIncoming(null), {
    request: buildRequest({
      method: 'INVITE',
      uri: `sip:${ours}@192.0.2.1`,
      headers: [
        ['From', `<sip:${caller}@x>;tag=a`],
        ['To', `<sip:${ours}@x>`],
        ['Identity', proof],
      ],
    }),
  })
  identity.check(incoming, trunk, 'RU', (checked) => checked.tell(call))
  const sentOn = { call: call.identity.call, by: ours }
  const sign = (orig = caller): [string, string | null][] =>
    identity
      .sign('acme', { orig, dest, attest: 'C', sentOn })
      .filter(([name]) => name === 'Identity')
      .map(([, value]) => [value, parseIdentity(value)?.ppt ?? null])
  const [original, diversion, ...more] = sign()
  assert.deepEqual([original, diversion?.[1], more], [[proof, 'shaken'], 'div', []])
  const { passport } = decodePassport(parseIdentity(diversion?.[0] ?? '')?.token ?? '') ?? assert.fail()
  assert.deepEqual([passport.orig, passport.div, passport.dest], ['79161234567', '74950000100', ['4930123456']])
  assert.deepEqual(
    sign(ours).map(([, ppt]) => ppt),
    ['shaken'],
    'another caller than was proven',
  )
  call.end({ kind: 'completed', by: 'us' })
  assert.deepEqual(
    sign().map(([, ppt]) => ppt),
    ['shaken'],
    'nothing is kept of a call that is over',
  )
})
