import { execFileSync } from 'node:child_process'
import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An authority, a signer that it vouches for, and others that it does not; made by openssl. */
export interface TestCertificates {
  authority: string
  leaf: string
  key: string
  /** Signed by the authority, but of another curve. */
  otherCurve: string
  /** Of the same key as the leaf, vouched for by nobody. */
  selfSigned: string
  /** Of a web server at `localhost`. */
  web: string
  webKey: string
}

/** Makes fresh certificates in a folder that is gone afterwards. */
export function makeCertificates(): TestCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'stir-'))
  const at = (name: string): string => join(folder, name)
  const openssl = (...words: string[]): Buffer => execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  const read = (name: string): string => readFileSync(at(name), 'utf8')
  try {
    const key = (name: string, curve = 'prime256v1'): Buffer => openssl('ecparam', '-name', curve, '-genkey', '-noout', '-out', name)
    const issue = (name: string, keyFile: string): void => {
      openssl('req', '-new', '-key', keyFile, '-subj', '/CN=SHAKEN 0001', '-out', `${name}.csr`)
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '30',
        '-out',
        `${name}.pem`,
      )
    }
    key('ca.key')
    openssl('req', '-x509', '-new', '-key', 'ca.key', '-subj', '/CN=Test authority', '-days', '30', '-out', 'ca.pem')
    key('leaf.key')
    issue('leaf', 'leaf.key')
    key('web.key')
    openssl('req', '-new', '-key', 'web.key', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-out', 'web.csr')
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '30']
    openssl('x509', '-req', '-in', 'web.csr', ...signed, '-out', 'web.pem')
    key('other.key', 'secp384r1')
    issue('other', 'other.key')
    openssl('req', '-x509', '-new', '-key', 'leaf.key', '-subj', '/CN=Nobody', '-days', '30', '-out', 'self.pem')
    return {
      authority: read('ca.pem'),
      leaf: read('leaf.pem'),
      key: read('leaf.key'),
      otherCurve: read('other.pem'),
      selfSigned: read('self.pem'),
      web: read('web.pem'),
      webKey: read('web.key'),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A PASSporT of any content, signed with ES256. */
export function signedToken(header: object, payload: object, key: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(payload)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}
