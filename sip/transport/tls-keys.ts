import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TlsOptions,
} from 'node:tls'
import type { ExpectedPeer } from '#sip/agent.ts'

/** A private key and what shows whose it is, both as PEM text; `chain` begins with our own certificate. */
export interface KeyedCertificate {
  readonly key: string
  readonly chain: string
}

/** TLS as we speak it. */
export interface TlsSettings {
  /** The first is shown where the peer names no server, or one that none of them is for. */
  readonly certificates: readonly KeyedCertificate[]
  /** PEM text of the authorities that must vouch for everybody who connects to us; absent: nobody is asked for a certificate. */
  readonly clientAuthorities?: string | undefined
}

/**
 * Forward secrecy and authenticated encryption only (RFC 9325 §4.2).
 * @NOTE deviates: RFC 3261 §26.2.1 asks for TLS_RSA_WITH_AES_128_CBC_SHA, which RFC 9325 §4.1 forbids.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')
const STRENGTH = { minVersion: 'TLSv1.2', ciphers: CIPHERS, honorCipherOrder: true } as const
const MAX_CONTEXTS = 1_000

interface Served {
  readonly certificate: X509Certificate
  readonly context: SecureContext
}

/** The keys with which TLS connections are made and accepted. They can be replaced at any time: connections that stand keep theirs. */
export class TlsKeys {
  #settings: TlsSettings
  #served: readonly Served[]
  /** For connections of ours, by whom we trust. */
  readonly #trusting = new Map<string, SecureContext>()

  /** Throws on keys and certificates that cannot be read or do not belong together. */
  constructor(settings: TlsSettings) {
    this.#settings = settings
    this.#served = settings.certificates.map((pair) => serve(pair, settings.clientAuthorities))
  }

  /** Shown from the next handshake on. Throws like the constructor, and then nothing has changed. */
  use(certificates: readonly KeyedCertificate[]): void {
    const settings = { ...this.#settings, certificates }
    this.#served = certificates.map((pair) => serve(pair, settings.clientAuthorities))
    this.#settings = settings
    this.#trusting.clear()
  }

  /** What a server is made with. */
  serverOptions(handshakeMs: number): TlsOptions {
    const asks = this.#settings.clientAuthorities !== undefined
    return {
      ...STRENGTH,
      handshakeTimeout: handshakeMs,
      requestCert: asks,
      rejectUnauthorized: asks,
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
      ...this.defaultContext(),
    }
  }

  /** What a server shows to peers that name no server (`tls.Server.setSecureContext`). */
  defaultContext(): Pick<TlsOptions, 'key' | 'cert' | 'ca' | 'minVersion' | 'ciphers' | 'honorCipherOrder'> {
    const [first] = this.#settings.certificates
    if (first === undefined) return STRENGTH
    const { clientAuthorities } = this.#settings
    return { ...STRENGTH, key: first.key, cert: first.chain, ...(clientAuthorities !== undefined && { ca: clientAuthorities }) }
  }

  /** How a connection of ours is made so that only `peer` can be at its end. We show our certificate to who asks for one. */
  clientOptions(peer: ExpectedPeer): ConnectionOptions {
    const anyone = peer.trust === 'anyone'
    return {
      secureContext: this.#contextTrusting(peer.trust),
      rejectUnauthorized: !anyone,
      checkServerIdentity: (_name, certificate) => (anyone ? undefined : checkSipIdentity(peer.name, certificate)),
      ...(isIP(peer.name) === 0 && { servername: peer.name }),
    }
  }

  #contextFor(name: string): SecureContext | undefined {
    return (this.#served.find(({ certificate }) => certificate.checkHost(name) !== undefined) ?? this.#served[0])?.context
  }

  #contextTrusting(trust: ExpectedPeer['trust']): SecureContext {
    const id = typeof trust === 'string' ? trust : trust.pem
    let context = this.#trusting.get(id)
    if (context !== undefined) return context
    const [first] = this.#settings.certificates
    context = createSecureContext({
      ...STRENGTH,
      ...(first !== undefined && { key: first.key, cert: first.chain }),
      ...(typeof trust !== 'string' && { ca: trust.pem }),
    })
    if (this.#trusting.size >= MAX_CONTEXTS) this.#trusting.clear()
    this.#trusting.set(id, context)
    return context
  }
}

function serve(pair: KeyedCertificate, clientAuthorities: string | undefined): Served {
  const certificate = new X509Certificate(pair.chain)
  const ca = clientAuthorities === undefined ? {} : { ca: clientAuthorities }
  return { certificate, context: createSecureContext({ ...STRENGTH, key: pair.key, cert: pair.chain, ...ca }) }
}

/**
 * Whether a certificate is for a SIP domain (RFC 5922 §7.1, §7.2): by its SIP URIs without user, else by its DNS names and addresses, else,
 * without any of these, by its common name. The error says what it is for.
 *
 * @NOTE deviates: `*.carrier.example` covers one label, as on the web (RFC 9525 §6.3), because carriers have such certificates.
 */
export function checkSipIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const domains = sipDomains(certificate.subjectaltname ?? '')
  if (domains.length === 0) return checkServerIdentity(name, certificate)
  if (domains.includes(name.toLowerCase())) return undefined
  const error: NodeJS.ErrnoException = new Error(`the certificate is for ${domains.join(', ')}, not for ${name}`)
  error.code = 'ERR_TLS_CERT_ALTNAME_INVALID'
  return error
}

function sipDomains(subjectAltName: string): string[] {
  return subjectAltName.split(', ').flatMap((entry) => /^URI:sip:([^@;?"]+)$/i.exec(entry)?.[1]?.toLowerCase() ?? [])
}
