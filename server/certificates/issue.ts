import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import {
  bitString,
  boolean,
  type Der,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  time,
  utf8String,
} from '#server/certificates/der.ts'
import type { KeyedCertificate } from '#sip/transport/tls-keys.ts'

/** From when to when, Unix time in ms. */
export interface Validity {
  from: number
  to: number
}

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const COMMON_NAME = oid('2.5.4.3')
const ORGANIZATION = oid('2.5.4.10')
const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const
/** Bits of RFC 5280 §4.2.1.3, the first of them on top. */
const DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7)
const CERT_AND_CRL_SIGN = bitString(Buffer.from([0x06]), 1)
const SERVER_AND_CLIENT = sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))
const ORGANIZATION_NAME = 'Centrala'

/** A new authority of our own: an ECDSA P-256 key, and a certificate it signed itself, which may sign those of servers and nothing more (RFC 5280). */
export function makeAuthority(name: string, validity: Validity): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const subject = nameOf(name)
  const certificate = signed(
    { issuer: subject, subject, validity, publicKey },
    [
      extension('basicConstraints', true, sequence(boolean(true), integer(0))),
      extension('keyUsage', true, CERT_AND_CRL_SIGN),
      extension('subjectKeyIdentifier', false, octetString(keyId(publicKey))),
    ],
    privateKey,
  )
  return { key: pem(privateKey), chain: certificate }
}

/** A new key and a certificate for `names`, DNS names and IP addresses, by our authority; the chain holds both certificates. */
export function issueFor(names: readonly string[], validity: Validity, authority: KeyedCertificate): KeyedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const by = new X509Certificate(authority.chain)
  const commonName = /^CN=(.*)$/m.exec(by.subject)?.[1] ?? ''
  const certificate = signed(
    { issuer: nameOf(commonName), subject: nameOf(names[0] ?? 'centrala'), validity, publicKey },
    [
      extension('basicConstraints', true, sequence()),
      extension('keyUsage', true, DIGITAL_SIGNATURE),
      extension('extendedKeyUsage', false, SERVER_AND_CLIENT),
      extension('subjectAltName', false, sequence(...names.map(generalName))),
      extension('subjectKeyIdentifier', false, octetString(keyId(publicKey))),
      extension(
        'authorityKeyIdentifier',
        false,
        sequence(implicit(0, keyId(createPublicKey(by.publicKey.export({ type: 'spki', format: 'pem' }))))),
      ),
    ],
    createPrivateKey(authority.key),
  )
  return { key: pem(privateKey), chain: `${certificate}${authority.chain}` }
}

/** RFC 5280 §4.1: what is signed, by which algorithm, the signature. As PEM text. */
function signed(
  of: { issuer: Der; subject: Der; validity: Validity; publicKey: KeyObject },
  extensions: readonly Der[],
  by: KeyObject,
): string {
  const serial = randomBytes(16)
  // Positive and never shorter than it looks.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const content = sequence(
    explicit(0, integer(2)),
    integer(serial),
    ECDSA_WITH_SHA256,
    of.issuer,
    sequence(time(of.validity.from), time(of.validity.to)),
    of.subject,
    of.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions)),
  )
  const certificate = sequence(content, ECDSA_WITH_SHA256, bitString(sign('sha256', content, by)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function extension(name: keyof typeof EXTENSION, critical: boolean, contents: Der): Der {
  return sequence(oid(EXTENSION[name]), ...(critical ? [boolean(true)] : []), octetString(contents))
}

/** RFC 5280 §4.1.2.4. A common name has 64 characters at most. */
function nameOf(commonName: string): Der {
  const part = (type: Der, text: string): Der => setOf(sequence(type, utf8String(text)))
  return sequence(part(ORGANIZATION, ORGANIZATION_NAME), part(COMMON_NAME, commonName.slice(0, 64)))
}

/** RFC 5280 §4.2.1.6: dNSName [2], iPAddress [7]. */
function generalName(name: string): Der {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name, 'latin1')) : implicit(7, addressBytes(name))
}

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const quad = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [a, b, c, d] = (quad?.slice(1) ?? []).map(Number)
  const hex = (high = 0, low = 0): string => (high * 256 + low).toString(16)
  const plain = quad === null ? address : `${address.slice(0, quad.index)}${hex(a, b)}:${hex(c, d)}`
  const [head = '', tail] = plain.split('::')
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'))
  const [front, back] = [groups(head), groups(tail ?? '')]
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0')
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** RFC 5280 §4.2.1.2, first method: SHA-1 of the key's bits, as a name for it and no more. */
function keyId(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  // An uncompressed P-256 point is the last 65 bytes.
  return createHash('sha1').update(spki.subarray(-65)).digest()
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
