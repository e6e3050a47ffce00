import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Certificates } from '#server/stir/certificates.ts'
import { readChain } from '#server/stir/chain.ts'
import { fetchCertificate, forbidden } from '#server/stir/fetch-certificate.ts'
import { IdentitySigner, signingTrouble } from '#server/stir/signer.ts'
import { makeCertificates, signedToken } from '#server/stir/testing.ts'
import type { Verdict } from '#server/stir/verdict.ts'
import { IdentityVerifier } from '#server/stir/verifier.ts'
import { formatIdentity, parseIdentity } from '#sip/identity/identity-header.ts'

const made = makeCertificates()
const url = 'https://cert.example/shaken.pem'
const numbers = { callers: ['74950000100'], called: ['79160000001'] }

function verifying(under: Readonly<Record<string, string | Error>> = { [url]: made.leaf }, wall = Date.now()) {
  const clock = new VirtualClock(wall)
  const fetched: string[] = []
  const fetch = (asked: string): Promise<string> => {
    fetched.push(asked)
    const found = under[asked] ?? new Error('not there')
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found)
  }
  const certificates = new Certificates({ clock, fetch })
  const verifier = new IdentityVerifier({ clock, certificates, authorities: readChain(made.authority) ?? assert.fail() })
  return { clock, fetched, certificates, verifier }
}

/** Signs anything at all. */
const token = (header: object, payload: object, key = made.key): string => signedToken(header, payload, key)

const shaken = { alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u: url }

const at = (clock: VirtualClock, seconds = 0): number => Math.floor(clock.wall() / 1000) + seconds

const said = (verdict: Verdict): (string | number)[] => ('sip' in verdict ? [verdict.verdict, verdict.sip] : [verdict.verdict])

test('a good signature of somebody whom an authority vouches for passes, with its attestation', async () => {
  const { clock, verifier } = verifying()
  const signer = new IdentitySigner(clock)
  assert.ok(signer.configure('acme', { url, certificate: made.leaf, privateKey: made.key }))
  const headers = new Map(signer.sign('acme', { orig: '+74950000100', dest: '+79160000001', attest: 'A' }))
  assert.deepEqual(await verifier.verify([headers.get('Identity') ?? ''], numbers), { verdict: 'passed', attestation: 'A' })
  assert.equal(Date.parse(headers.get('Date') ?? ''), Math.floor(clock.wall() / 1000) * 1000)
  assert.deepEqual(signer.sign('other', { orig: '+1', dest: '+2', attest: 'A' }), [], 'a company without a key')
  const tampered = (headers.get('Identity') ?? '').replace(/\.(.)/, (_, first: string) => `.${first === 'A' ? 'B' : 'A'}`)
  assert.notEqual((await verifier.verify([tampered], numbers)).verdict, 'passed')
})

test('whatever is wrong with a signature is told by the status of RFC 8224, before a certificate is fetched where that can be', async () => {
  const other = 'https://cert.example/other.pem'
  const self = 'https://cert.example/self.pem'
  const gone = 'https://cert.example/gone.pem'
  const empty = 'https://cert.example/empty.pem'
  const { clock, verifier, fetched } = verifying({
    [url]: made.leaf,
    [other]: made.otherCurve,
    [self]: made.selfSigned,
    [empty]: 'nothing',
  })
  const good = { attest: 'B', dest: { tn: ['79160000001'] }, iat: at(clock), orig: { tn: '74950000100' }, origid: 'x' }
  const by = (header: object, payload: object = good, info = url): string => formatIdentity(token(header, payload), info, 'shaken')
  const early: [string, string, ...(string | number)[]][] = [
    ['alg of the header', by(shaken).replace('alg=ES256', 'alg=none'), 'failed', 437],
    ['alg of the PASSporT', by({ ...shaken, alg: 'HS256' }), 'failed', 437],
    ['alg none', by({ ...shaken, alg: 'none' }), 'failed', 437],
    ['typ', by({ ...shaken, typ: 'JWT' }), 'failed', 438],
    ['ppt of the PASSporT', by({ ...shaken, ppt: 'div' }), 'failed', 438],
    ['another ppt alone', formatIdentity(token({ ...shaken, ppt: 'div' }, good), url, 'div'), 'unsure', 428],
    ['x5u other than info', by({ ...shaken, x5u: self }), 'failed', 438],
    ['no x5u', by({ alg: 'ES256', ppt: 'shaken', typ: 'passport' }), 'failed', 438],
    ['too old', by(shaken, { ...good, iat: at(clock, -61) }), 'failed', 403],
    ['from the future', by(shaken, { ...good, iat: at(clock, 62) }), 'failed', 403],
    ['iat that is text', by(shaken, { ...good, iat: String(at(clock)) }), 'failed', 438],
    ['another caller', by(shaken, { ...good, orig: { tn: '74950000101' } }), 'failed', 438],
    ['a caller by URI', by(shaken, { ...good, orig: { uri: 'sip:a@b' } }), 'failed', 438],
    ['another called number', by(shaken, { ...good, dest: { tn: ['112'] } }), 'failed', 438],
    ['no attestation', by(shaken, { ...good, attest: 'Z' }), 'failed', 438],
    ['no origin', by(shaken, { ...good, origid: 7 }), 'failed', 438],
    ['no semicolon', 'abc', 'failed', 438],
    ['compact form', `..sig;info=<${url}>;alg=ES256;ppt="shaken"`, 'failed', 438],
  ]
  for (const [name, value, ...verdict] of early) assert.deepEqual(said(await verifier.verify([value], numbers)), verdict, name)
  assert.deepEqual(said(await verifier.verify([], numbers)), ['unsure', 428])
  assert.deepEqual(fetched, [], 'nothing is fetched for a claim that cannot hold')
  const late: [string, string, ...(string | number)[]][] = [
    ['another key', formatIdentity(token(shaken, good, makeCertificates().key), url, 'shaken'), 'failed', 438],
    ['a short signature', by(shaken).replace(/[^.]+(?=;info)/, 'AAAA'), 'failed', 438],
    ['another curve', by({ ...shaken, x5u: other }, good, other), 'failed', 437],
    ['nobody vouches', by({ ...shaken, x5u: self }, good, self), 'unsure', 437],
    ['no certificate there', by({ ...shaken, x5u: gone }, good, gone), 'failed', 436],
    ['something else there', by({ ...shaken, x5u: empty }, good, empty), 'failed', 436],
  ]
  for (const [name, value, ...verdict] of late) assert.deepEqual(said(await verifier.verify([value], numbers)), verdict, name)
  assert.equal(parseIdentity(by(shaken))?.info, url)
})

test('a certificate that is not valid yet, or any more, is worth nothing', async () => {
  for (const days of [-2, 40]) {
    const { clock, verifier } = verifying({ [url]: made.leaf }, Date.now() + days * 86_400_000)
    const good = { attest: 'A', dest: { tn: ['79160000001'] }, iat: at(clock), orig: { tn: '74950000100' }, origid: 'x' }
    assert.deepEqual(said(await verifier.verify([formatIdentity(token(shaken, good), url, 'shaken')], numbers)), ['failed', 437])
  }
})

test('a certificate is fetched once for all calls, failures are forgotten after a minute, and known ones answer at once', async () => {
  const { clock, certificates, fetched } = verifying()
  const [one, two] = [certificates.get(url), certificates.get(url)]
  assert.ok(one instanceof Promise && two instanceof Promise)
  assert.ok('chain' in (await one) && 'chain' in (await two))
  assert.ok('chain' in certificates.get(url), 'without a promise')
  assert.deepEqual(fetched, [url])
  await certificates.get('https://x.example/')
  await certificates.get('https://x.example/')
  assert.equal(fetched.length, 2)
  clock.advance(61_000)
  await certificates.get('https://x.example/')
  assert.equal(fetched.length, 3)
  certificates.own('https://own.example/c.pem', made.leaf)
  assert.ok('chain' in certificates.get('https://own.example/c.pem'))
  const flood = Array.from({ length: 30 }, (_, i) => certificates.get(`https://x.example/${i}`))
  assert.ok(flood.filter((each) => each instanceof Promise).length <= 16)
  for (const each of flood) await each
})

test('nothing inside is ever asked for a certificate, nor by another way than https', async () => {
  const urls = [
    ...[
      'http://cert.example/a',
      'ftp://cert.example/a',
      'file:///etc/passwd',
      'gopher://a',
      'https://',
      'nonsense',
      'https://u:p@cert.example/',
    ],
    ...[
      'https://cert.example:25/',
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://0177.0.0.1/',
      'https://127.1/',
    ],
    ...[
      'https://10.1.2.3/',
      'https://169.254.169.254/',
      'https://192.168.1.1:8443/',
      'https://172.31.0.1/',
      'https://100.64.0.1/',
      'https://0/',
    ],
    ...[
      'https://[::1]/',
      'https://[::]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[fe80::1]/',
      'https://[fd00::1]/',
      'https://[64:ff9b::7f00:1]/',
    ],
  ]
  for (const each of urls) {
    assert.notEqual(forbidden(each), null, each)
    await assert.rejects(fetchCertificate(each), Error, each)
  }
  await assert.rejects(fetchCertificate('https://localhost/c.pem'), /inside/, 'a name is judged by what it resolves to')
  assert.equal(forbidden('https://cert.example:8443/c.pem'), null)
  assert.equal(forbidden('https://93.184.215.14/c.pem'), null)
  assert.equal(forbidden('https://[2606:2800:21f::1]/c.pem'), null)
})

test('what is too large, redirects, is slow, or comes from a server that proves nothing is not taken', async () => {
  const web = createServer({ key: made.webKey, cert: made.web }, (request, response) => {
    if (request.url === '/endless') return pour(response)
    if (request.url === '/slow') return
    if (request.url === '/moved') return void response.writeHead(302, { Location: '/good' }).end()
    response.end(made.leaf)
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const { port } = web.address() as AddressInfo
  const rules = { forbidden: () => null, isInside: () => false, ca: made.authority }
  const fetch = (path: string, more = {}): Promise<string> => fetchCertificate(`https://localhost:${port}${path}`, { ...rules, ...more })
  try {
    assert.equal(await fetch('/good'), made.leaf)
    await assert.rejects(fetch('/endless'), /too large/)
    await assert.rejects(fetch('/moved'), /answered 302/)
    await assert.rejects(fetch('/good', { ca: made.selfSigned }))
    await assert.rejects(fetch('/good', { isInside: () => true }), /inside/)
    await assert.rejects(fetch('/slow'), /in time/)
  } finally {
    web.closeAllConnections()
    web.close()
  }
})

/** Sends for ever, as far as it is listened to. */
function pour(response: ServerResponse): void {
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(16_384)));
  }
  response.on('drain', more)
  more()
}

test('a company learns why its certificate and key would not sign', () => {
  assert.equal(signingTrouble(made.leaf, made.key), null)
  assert.equal(signingTrouble(made.leaf, null), null)
  assert.match(signingTrouble('no', null) ?? '', /cannot be read/)
  assert.match(signingTrouble(made.otherCurve, null) ?? '', /no P-256 key/)
  assert.match(signingTrouble(made.leaf, 'no') ?? '', /private key is no/)
  assert.match(signingTrouble(made.leaf, makeCertificates().key) ?? '', /does not belong/)
  assert.equal(new IdentitySigner(new VirtualClock()).configure('a', { url, certificate: made.leaf, privateKey: 'no' }), false)
})
