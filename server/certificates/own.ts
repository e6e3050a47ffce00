import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Millis } from '#base/clock.ts'
import { issueFor, makeAuthority } from '#server/certificates/issue.ts'
import { certificateIn, readPair } from '#server/certificates/pair.ts'
import type { KeyedCertificate } from '#sip/transport/tls-keys.ts'

const dayMs: Millis = 86_400_000
/** As public authorities do; browsers and phones refuse longer ones. */
const serverDays = 397
const authorityDays = 20 * 365
/** Clocks of phones are wrong. */
const backdatedMs: Millis = dayMs
/** So long before its end a certificate is replaced. */
const renewalMs: Millis = 30 * dayMs

/**
 * The certificates that we make ourselves: an authority, made once, for phones to trust, and what it vouches for, made anew before it ends and
 * when we get another name. Four files in one folder; the keys can be read by their owner alone.
 */
export class OwnCertificates {
  readonly #folder: string
  #authority: KeyedCertificate | null = null
  #server: KeyedCertificate | null = null

  /** Throws `CertificateError` when files are there that cannot be used. */
  constructor(folder: string) {
    this.#folder = folder
    if (existsSync(this.#path('authority.pem'))) this.#authority = this.#read('authority')
    if (existsSync(this.#path('server.pem'))) this.#server = this.#read('server')
  }

  /** PEM text of the authority that phones may be told to trust. */
  get authority(): string | null {
    return this.#authority?.chain ?? null
  }

  /** What to show at `now` (Unix time in ms) for `names`; made and written when there is none, or none that will do. */
  current(names: readonly string[], now: number): KeyedCertificate {
    const validity = (days: number): { from: number; to: number } => {
      const from = Math.floor((now - backdatedMs) / 1000) * 1000
      return { from, to: from + days * dayMs }
    }
    if (this.#authority === null || endsSoon(this.#authority, now)) {
      this.#authority = makeAuthority(`Centrala ${names[0] ?? ''}`.trim(), validity(authorityDays))
      this.#server = null
      this.#write('authority', this.#authority)
    }
    if (this.#server !== null && !endsSoon(this.#server, now) && isFor(this.#server, names)) return this.#server
    this.#server = issueFor(names, validity(serverDays), this.#authority)
    this.#write('server', this.#server)
    return this.#server
  }

  #read(name: string): KeyedCertificate {
    return readPair({ certificate: this.#path(`${name}.pem`), key: this.#path(`${name}.key`) })
  }

  /** The key first: a certificate without its key is of no use, and is what is looked for at the next start. */
  #write(name: string, { key, chain }: KeyedCertificate): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    for (const [file, text, mode] of [
      [`${name}.key`, key, 0o600],
      [`${name}.pem`, chain, 0o644],
    ] as const) {
      writeFileSync(this.#path(`${file}.new`), text, { mode })
      renameSync(this.#path(`${file}.new`), this.#path(file))
    }
  }

  #path(file: string): string {
    return join(this.#folder, file)
  }
}

function endsSoon({ chain }: KeyedCertificate, now: number): boolean {
  return certificateIn(chain).validToDate.getTime() - now < renewalMs
}

function isFor({ chain }: KeyedCertificate, names: readonly string[]): boolean {
  const certificate = new X509Certificate(chain)
  return names.every((name) => (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined)
}
