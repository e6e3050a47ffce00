import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Certificates } from '#server/stir/certificates.ts'
import { readChain } from '#server/stir/chain.ts'
import { IdentitySigner } from '#server/stir/signer.ts'
import { makeCertificates } from '#server/stir/testing.ts'
import { IdentityVerifier } from '#server/stir/verifier.ts'
import { parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport } from '#sip/identity/passport.ts'
import { claimPort } from '#test/support/ports.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, type SippMessage, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const inside = '127.0.0.63'
const outside = '127.0.0.64'
const caller = '+79161234567'
const ours = '+74950000101'
const beyond = '+79990000009'
const url = 'https://cert.acme.example/shaken.pem'
const made = makeCertificates()
const signing = { url, certificate: made.leaf, privateKey: made.key }

/** The company signs, and sends its second number on to a number outside. */
function documents(out: Record<string, unknown>, into: Record<string, unknown> = { identity: 'refuse' }): Doc[] {
  const more = [trunk('in', inside, port, into), trunk('out', outside, port, out), everythingTo('out')]
  return acme(...more).map((each) => {
    if (each.kind === 'company') return { ...each, signing }
    return each.id === 'second' ? { ...each, target: { external: beyond } } : each
  })
}

const identities = (invite: SippMessage): string[] => [...invite.text.matchAll(/^Identity: *(.+?)\r?$/gim)].map((match) => match[1] ?? '')

test('signatures of calls that are sent on: in from a carrier and out by another', { skip: withoutSipp }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'stir-ca-'))
  await writeFile(join(folder, 'ca.pem'), made.authority)
  try {
    await using carrier = await Sipp.listen({ scenario: 'takes-calls', address: outside, port })
    const shows = { callerId: { rule: 'from', forwarded: 'original' } }
    await using at = await AcmeSystem.start(documents(shows), { CENTRALA_STIR_CA: join(folder, 'ca.pem') })
    await at.phone.register()
    const clock = new VirtualClock(Date.now())
    const signer = new IdentitySigner(clock)
    signer.configure('them', signing)
    const valueOf = (headers: readonly (readonly [string, string])[]): string => new Map(headers).get('Identity') ?? ''

    const bring = async (values: readonly string[], dialled = ours): Promise<{ invite: SippMessage; verdict: string }> => {
      const mark = at.facts.mark
      const keys = { dialled, to: 'x', caller, status: '200', more: values.map((value) => `Identity: ${value}`).join('\n') }
      await using call = await Sipp.call({ scenario: 'calls-in', address: inside, port, keys }, at.sip)
      await call.done()
      const leg = await at.facts.next('leg.started', (fact) => fact.role === 'callee', mark)
      const { verdict } = await at.facts.next('call.identity-checked', () => true, mark)
      await at.facts.next('call.ended', () => true, mark)
      const [invite] = await carrier.requests('INVITE', leg.sip)
      return { invite: invite ?? assert.fail('no INVITE came out'), verdict }
    }

    await t.test('the next carrier gets the caller’s proof, and ours that we sent it on: both verify', async () => {
      const proof = valueOf(signer.sign('them', { orig: caller, dest: ours, attest: 'A' }))
      const { invite } = await bring([proof])
      const values = identities(invite)
      assert.equal(values.length, 2)
      assert.ok(values.includes(proof))
      const certificates = new Certificates({ clock, fetch: () => Promise.resolve(made.leaf) })
      const verifier = new IdentityVerifier({ clock, certificates, authorities: readChain(made.authority) ?? assert.fail() })
      const numbers = { callers: [caller.slice(1)], called: [beyond.slice(1)] }
      assert.deepEqual(await verifier.verify(values, numbers), { verdict: 'passed', attestation: 'A' })
      assert.notEqual((await verifier.verify([proof], numbers)).verdict, 'passed', 'one does not do')
    })

    await t.test('a call that was sent on to us is taken where good signatures are wanted', async () => {
      const [first, between] = ['+74957770001', '+74957770002']
      const values = [
        valueOf(signer.divert('them', { orig: caller, by: between, dest: ours })),
        valueOf(signer.sign('them', { orig: caller, dest: first, attest: 'B' })),
        valueOf(signer.divert('them', { orig: caller, by: first, dest: between })),
      ]
      assert.equal((await bring(values)).verdict, 'passed')
    })

    await t.test('a caller whom nobody signed for is attested B where we know who sends the call, else C', async () => {
      for (const [attestation, wanted] of [
        ['B', 'B'],
        [undefined, 'C'],
      ] as const) {
        await at.apply(documents(shows, { identity: 'mark', ...(attestation !== undefined && { attestation }) }))
        const mark = at.facts.mark
        const keys = { dialled: ours, to: 'x', caller, status: '200', more: 'Subject: a' }
        await using call = await Sipp.call({ scenario: 'calls-in', address: inside, port, keys }, at.sip)
        await call.done()
        const leg = await at.facts.next('leg.started', (fact) => fact.role === 'callee', mark)
        await at.facts.next('call.ended', () => true, mark)
        const [invite] = await carrier.requests('INVITE', leg.sip)
        const [value = ''] = identities(invite ?? assert.fail())
        const { passport } = decodePassport(parseIdentity(value)?.token ?? '') ?? assert.fail(value)
        assert.deepEqual([passport.attest, passport.orig, passport.dest], [wanted, caller.slice(1), [beyond.slice(1)]])
      }
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
