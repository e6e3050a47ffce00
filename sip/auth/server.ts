import type { KeyObject } from 'node:crypto'
import type { Clock, Millis } from '#base/clock.ts'
import type { DigestAlgorithm, DigestUser } from '#sip/agent.ts'
import { DIGEST_LENGTH, digestResponse } from '#sip/auth/digest.ts'
import { isSameText } from '#sip/auth/same-text.ts'
import { NonceMint } from '#sip/auth/nonce.ts'
import { RequestHashes } from '#sip/auth/request-hash.ts'
import type { AuthHeader } from '#sip/message/auth-header.ts'
import { quoted } from '#sip/message/grammar.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import { offered } from '#sip/auth/quirks.ts'
import { MAX_ID_LENGTH } from '#sip/message/limits.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { parseUri } from '#sip/message/uri.ts'

export interface DigestServerOptions {
  clock: Clock
  /** Secret of this process life, at least 128 bits. Nothing made with it outlives the process. */
  key: KeyObject
  /** Offered, in this order, to who is not known: the list that devices have by default, or its difference would betray who exists. */
  algorithms: readonly DigestAlgorithm[]
  nonceLifeMs?: Millis
  nonceCapacity?: number
}

/** Why a request is challenged. Only `wrong` speaks against the sender: some phones never raise `nc` and look like a replay. */
export type ChallengeCause = 'absent' | 'stale' | 'wrong' | 'replayed'

export type Verdict =
  | { readonly kind: 'accepted' }
  /** Answer 401 with these headers. They are the same for every cause, save that `stale` and `replayed` ask to try again with a new nonce. */
  | { readonly kind: 'challenge'; readonly cause: ChallengeCause; readonly headers: HeaderLines }

/** Who a request claims to be, before anything is proved. */
export interface Claim {
  readonly username: string
  readonly realm: string
}

/**
 * Digest authentication of what others send us (RFC 3261 §22, RFC 7616, RFC 8760), qop=auth only. A user that does not exist is reckoned
 * with in the same way and the same time as one that does, and always fails.
 */
export class DigestServer {
  readonly #nonces: NonceMint
  readonly #algorithms: readonly DigestAlgorithm[]
  readonly #requests = new RequestHashes()

  constructor(options: DigestServerOptions) {
    this.#algorithms = options.algorithms
    this.#nonces = new NonceMint({
      clock: options.clock,
      key: options.key,
      ...(options.nonceLifeMs === undefined ? {} : { lifeMs: options.nonceLifeMs }),
      ...(options.nonceCapacity === undefined ? {} : { capacity: options.nonceCapacity }),
    })
  }

  /** Checks the request's credentials for `realm`; `user` null is an unknown user. */
  verify(request: SipRequest, realm: string, user: DigestUser | null): Verdict {
    const credentials = credentialsFor(request, realm)
    if (credentials === undefined) return this.#challenge('absent', realm, user, request)
    const proof = readProof(credentials, user?.algorithms ?? this.#algorithms)
    const right = this.#isRight(request.method, user, proof)
    if (!right || proof === undefined || !isAbout(proof.uri, request.uri) || !names(user, proof.username))
      return this.#challenge('wrong', realm, user, request)
    const use = this.#nonces.use(proof.nonce, realm, Number.parseInt(proof.nc, 16))
    return use === 'fresh' ? { kind: 'accepted' } : this.#challenge(use, realm, user, request)
  }

  /** Challenge headers without looking at credentials. */
  challenge(realm: string, user: DigestUser | null, request: SipRequest): HeaderLines {
    return this.#lines(realm, offered(user?.algorithms ?? this.#algorithms, request), false)
  }

  #challenge(cause: ChallengeCause, realm: string, user: DigestUser | null, request: SipRequest): Verdict {
    const algorithms = offered(user?.algorithms ?? this.#algorithms, request)
    return { kind: 'challenge', cause, headers: this.#lines(realm, algorithms, cause === 'stale' || cause === 'replayed') }
  }

  /** One WWW-Authenticate per algorithm, in order of preference (RFC 8760 §2.3), all with one nonce. */
  #lines(realm: string, algorithms: readonly DigestAlgorithm[], stale: boolean): HeaderLines {
    const named = `Digest realm=${quoted(realm)}, nonce="${this.#nonces.issue(realm)}", algorithm=`
    const qop = stale ? ', qop="auth", stale=true' : ', qop="auth"'
    return algorithms.map((algorithm) => ['WWW-Authenticate', named + algorithm + qop] as const)
  }

  /** Always computes one response, whatever is missing, and compares without an early end. */
  #isRight(method: string, user: DigestUser | null, proof: Proof | undefined): boolean {
    const { algorithm, nonce, uri, nc, cnonce, response } = proof ?? NO_PROOF
    const secret = user?.ha1[algorithm]
    const expected = digestResponse({
      algorithm,
      ha1: secret ?? DECOY[algorithm],
      nonce,
      method,
      uri,
      ha2: this.#requests.of(algorithm, method, uri),
      qop: { kind: 'auth', nc, cnonce },
    })
    return isSameText(response, expected) && secret !== undefined && proof !== undefined
  }
}

function names(user: DigestUser | null, username: string): boolean {
  return user?.username === undefined || user.username === username
}

/**
 * The user that the request's credentials name: what guesses are counted against. Null without Digest credentials for `realm` (any, if null),
 * or with a name longer than any.
 */
export function claimOf(request: SipRequest, realm: string | null): Claim | null {
  for (const { scheme, params } of request.headers.auth('authorization')) {
    const username = params.get('username')
    const claimed = params.get('realm')
    if (scheme !== 'digest' || username === undefined || claimed === undefined || username.length > MAX_ID_LENGTH) continue
    if (realm === null || claimed === realm) return { username, realm: claimed }
  }
  return null
}

interface Proof {
  algorithm: DigestAlgorithm
  username: string
  nonce: string
  uri: string
  /** Eight hexadecimal digits, in lower case. */
  nc: string
  cnonce: string
  response: string
}

const NO_PROOF: Proof = { algorithm: 'MD5', username: '', nonce: '', uri: '', nc: '00000001', cnonce: '', response: '0'.repeat(32) }
/** What is reckoned with for who does not exist. Nothing that is reckoned with it is ever taken. */
const DECOY: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: '0'.repeat(DIGEST_LENGTH.MD5),
  'SHA-256': '0'.repeat(DIGEST_LENGTH['SHA-256']),
}
const HEX = /^[0-9a-f]+$/

function credentialsFor(request: SipRequest, realm: string): AuthHeader | undefined {
  return request.headers.auth('authorization').find(({ scheme, params }) => scheme === 'digest' && params.get('realm') === realm)
}

/** Undefined for anything but a complete response with qop=auth by an algorithm that was offered: nothing can be talked down. */
function readProof({ params }: AuthHeader, offered: readonly DigestAlgorithm[]): Proof | undefined {
  const algorithm = offered.find((name) => name === (params.get('algorithm') ?? 'MD5').toUpperCase())
  const username = params.get('username')
  const nonce = params.get('nonce')
  const uri = params.get('uri')
  const cnonce = params.get('cnonce')
  if (algorithm === undefined || username === undefined || nonce === undefined || uri === undefined || cnonce === undefined) {
    return undefined
  }
  const response = params.get('response')?.toLowerCase() ?? ''
  const nc = params.get('nc')?.toLowerCase() ?? ''
  if (!HEX.test(response) || !isCount(nc) || !isPlainAuth(params)) return undefined
  return { algorithm, username, nonce, uri, nc, cnonce, response }
}

function isCount(nc: string): boolean {
  return nc.length === 8 && HEX.test(nc)
}

function isPlainAuth(params: AuthHeader['params']): boolean {
  return params.get('qop')?.toLowerCase() === 'auth' && params.get('userhash') !== 'true'
}

/**
 * Whether the `uri` parameter means the Request-URI (RFC 7616 §3.4.6): whom the request is for. Parameters, sips and the host are left out
 * of it. Phones and proxies add, drop and rewrite them, and clients with an outbound proxy name its address instead of the domain; the
 * nonce says already that this server is meant.
 */
function isAbout(claimed: string, actual: string): boolean {
  if (claimed === actual) return true
  const a = parseUri(claimed)
  const b = parseUri(actual)
  if (a?.kind === 'sip' && b?.kind === 'sip') return a.escapedUser === b.escapedUser
  return a?.kind === 'tel' && b?.kind === 'tel' && a.number === b.number
}
