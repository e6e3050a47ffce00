import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'

const day = 86_400_000
const from = Date.UTC(2026, 0, 2, 3, 4, 5)
const authority = makeAuthority('Centrala test authority', { from, to: Date.UTC(2061, 0, 1) })
const names = ['pbx.example', 'sip.example', '192.0.2.7', '2001:db8::1:7', '::ffff:192.0.2.9']
const server = issueFor(names, { from, to: from + 397 * day }, authority)

const folder = mkdtempSync(join(tmpdir(), 'centrala-issue-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const openssl = (...words: string[]): string => execFileSync('openssl', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const hasOpenssl = ((): boolean => {
  try {
    return openssl('version').length > 0
  } catch {
    return false
  }
})()

test('a certificate of ours is for its names and addresses, by our authority, in its time', () => {
  const certificate = new X509Certificate(server.chain)
  const issuer = new X509Certificate(authority.chain)
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey) && issuer.verify(issuer.publicKey))
  assert.deepEqual([issuer.ca, certificate.ca], [true, false])
  assert.equal(certificate.checkHost('pbx.example'), 'pbx.example')
  assert.equal(certificate.checkHost('other.example'), undefined)
  for (const address of names.slice(2, 4)) assert.equal(certificate.checkIP(address), address)
  assert.equal(certificate.validFromDate.getTime(), from)
  assert.equal(certificate.validToDate.getTime(), from + 397 * day)
  assert.equal(issuer.validToDate.getTime(), Date.UTC(2061, 0, 1))
  assert.notEqual(certificate.serialNumber, new X509Certificate(issueFor(names, { from, to: from + day }, authority).chain).serialNumber)
  createSecureContext({ key: server.key, cert: server.chain })
})

test('openssl reads every field and finds the chain sound and strict', { skip: !hasOpenssl }, () => {
  const [ca, own] = [file('ca.pem', authority.chain), file('server.pem', server.chain)]
  const at = String(from / 1000 + 10)
  assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-attime', at, '-CAfile', ca, own), /: OK/)
  assert.match(openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-attime', at, '-CAfile', ca, own), /: OK/)
  const text = openssl('x509', '-in', own, '-noout', '-text')
  assert.match(text, /Version: 3/)
  assert.match(text, /CA:FALSE/)
  assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/)
  assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/)
  assert.match(text, /DNS:pbx\.example, DNS:sip\.example, IP Address:192\.0\.2\.7, IP Address:2001:DB8:0:0:0:0:1:7/)
  assert.match(openssl('x509', '-in', ca, '-noout', '-text'), /CA:TRUE, pathlen:0[^]*Certificate Sign, CRL Sign/)
  assert.match(openssl('asn1parse', '-in', ca), /GENERALIZEDTIME\s+:20610101000000Z/)
})

test('openssl refuses a certificate whose names were changed', { skip: !hasOpenssl }, () => {
  const bytes = Buffer.from(new X509Certificate(server.chain).raw)
  bytes.write('xyz.example', bytes.indexOf('pbx.example', bytes.indexOf('pbx.example') + 1))
  const forged = `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`
  assert.throws(() =>
    openssl('verify', '-attime', String(from / 1000 + 10), '-CAfile', file('ca2.pem', authority.chain), file('forged.pem', forged)),
  )
})
