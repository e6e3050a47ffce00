import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KeyedCertificate } from '#sip/transport/tls-keys.ts'

/** Where a certificate (with those between it and its authority behind it) and its private key stand, as PEM files. */
export interface PairOfFiles {
  readonly certificate: string
  readonly key: string
}

/** Files that are no certificate and key, or none that belong together. The message names the file and what is wrong. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** Reads both and sees that they belong together. Throws `CertificateError`. */
export function readPair({ certificate, key }: PairOfFiles): KeyedCertificate {
  const pair = { chain: textOf(certificate), key: textOf(key) }
  let belongs: boolean
  try {
    belongs = new X509Certificate(pair.chain).checkPrivateKey(createPrivateKey(pair.key))
  } catch (fault) {
    throw new CertificateError(`${certificate} and ${key} are no certificate and private key in PEM form: ${reasonOf(fault)}`, {
      cause: fault,
    })
  }
  if (!belongs) throw new CertificateError(`the private key in ${key} is not that of the certificate in ${certificate}`)
  return pair
}

/** The first certificate of a chain. */
export function certificateIn(chain: string): X509Certificate {
  return new X509Certificate(chain)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (fault) {
    throw new CertificateError(`${path} cannot be read: ${reasonOf(fault)}`, { cause: fault })
  }
}

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault)
}
