import type { Random } from '#base/ids.ts'
import { digestResponse, type HashAlgorithm, ha1 } from '#sip/auth/digest.ts'
import { type AuthHeader, formatAuthHeader } from '#sip/message/auth-header.ts'
import type { HeaderLines, SipHeaders } from '#sip/message/headers.ts'

/** Credentials that we hold for a peer. */
export interface ClientCredentials {
  user: string
  password: string
  /** Only challenges of these realms are answered. Absent: any realm; then the caller sends the answer only to the host it dialled. */
  realms?: readonly string[] | undefined
}

/** The request that was challenged, or is to be sent. */
export interface Authorised {
  method: string
  uri: string
  body?: Uint8Array | undefined
}

/**
 * What to do about a challenge. `retry`: send the request again as a new transaction (CSeq above) with these lines in place of any
 * Authorization and Proxy-Authorization. `give-up`: `realm` a realm that is not ours, `unsupported` no algorithm or qop that we know,
 * `rejected` our credentials were refused, `limit` the peer keeps asking.
 */
export type ChallengeAnswer =
  | { readonly kind: 'retry'; readonly headers: HeaderLines }
  | { readonly kind: 'give-up'; readonly why: 'realm' | 'unsupported' | 'rejected' | 'limit' }

/** Answers to challenges for one request: the first, and one more for a nonce that went stale on the way. */
export const MAX_CHALLENGE_ANSWERS = 2

/**
 * Digest authentication towards one peer (RFC 3261 §22.2, RFC 7616, RFC 8760). Keeps the last nonce of each realm, so that later requests
 * carry credentials at once and are not challenged. One object per trunk or registration; holds at most MAX_REALMS nonces.
 */
export class DigestClient {
  readonly #credentials: ClientCredentials
  readonly #random: Random
  readonly #known = new Map<string, Challenge>()

  constructor(credentials: ClientCredentials, random: Random) {
    this.#credentials = credentials
    this.#random = random
  }

  /** Lines for a request that nobody has challenged yet; none while no nonce is known. */
  authorise(request: Authorised): HeaderLines {
    return [...this.#known.values()].map((challenge) => this.#answer(challenge, request))
  }

  /**
   * Answers a 401 or 407. `answered` counts the answers already given for this request. Of the challenges of one realm the first that we
   * can reckon is taken: the server puts them in its order of preference (RFC 8760 §2.4).
   */
  challenged(response: { headers: SipHeaders }, sent: Authorised & { headers: SipHeaders }, answered: number): ChallengeAnswer {
    const challenges = [...readChallenges(response.headers, 'www-authenticate'), ...readChallenges(response.headers, 'proxy-authenticate')]
    const ours = challenges.filter(({ realm }) => this.#credentials.realms?.includes(realm) ?? true)
    if (ours.length === 0) return { kind: 'give-up', why: challenges.length === 0 ? 'unsupported' : 'realm' }
    const fresh = firstOfEachRealm(ours)
    if (answered > 0 && fresh.some((challenge) => wasRefused(challenge, sent.headers))) return this.#giveUp(fresh, 'rejected')
    if (answered >= MAX_CHALLENGE_ANSWERS) return this.#giveUp(fresh, 'limit')
    for (const challenge of fresh) this.#keep(challenge)
    const others = [...this.#known.values()].filter((known) => !fresh.includes(known) && carries(sent.headers, known))
    return { kind: 'retry', headers: [...fresh, ...others].map((challenge) => this.#answer(challenge, sent)) }
  }

  /** Takes `nextnonce` from a final response (RFC 7616 §3.5). */
  learn(response: { headers: SipHeaders }): void {
    const text = response.headers.get('authentication-info')
    const next = text === undefined ? undefined : /(?:^|[,\s])nextnonce\s*=\s*"([^"]+)"/i.exec(text)?.[1]
    const [only, ...more] = this.#known.values()
    if (next === undefined || only === undefined || more.length > 0) return
    only.nonce = next
    only.uses = 0
  }

  #keep(challenge: Challenge): void {
    const key = keyOf(challenge)
    this.#known.delete(key)
    const [oldest] = this.#known.keys()
    if (this.#known.size >= MAX_REALMS && oldest !== undefined) this.#known.delete(oldest)
    this.#known.set(key, challenge)
  }

  #giveUp(challenges: readonly Challenge[], why: 'rejected' | 'limit'): ChallengeAnswer {
    for (const challenge of challenges) this.#known.delete(keyOf(challenge))
    return { kind: 'give-up', why }
  }

  #answer(challenge: Challenge, request: Authorised): readonly [string, string] {
    const { user, password } = this.#credentials
    const { algorithm, sess, nonce, realm } = challenge
    const nc = (++challenge.uses).toString(16).padStart(8, '0')
    const cnonce = this.#random.hex(8)
    const qop = challenge.qop && { kind: challenge.qop, nc, cnonce, ...(request.body === undefined ? {} : { body: request.body }) }
    const secret = ha1(algorithm, user, realm, password)
    const response = digestResponse({ algorithm, sess, ha1: secret, nonce, method: request.method, uri: request.uri, qop })
    const params: [string, string][] = [
      ['username', user],
      ['realm', realm],
      ['nonce', nonce],
      ['uri', request.uri],
      ['response', response],
    ]
    if (challenge.algorithmToken !== undefined) params.push(['algorithm', challenge.algorithmToken])
    if (challenge.opaque !== undefined) params.push(['opaque', challenge.opaque])
    if (qop !== undefined) params.push(['qop', qop.kind], ['nc', nc], ['cnonce', cnonce])
    return [challenge.proxy ? 'Proxy-Authorization' : 'Authorization', formatAuthHeader('Digest', params, BARE)]
  }
}

interface Challenge {
  readonly proxy: boolean
  readonly realm: string
  nonce: string
  readonly opaque: string | undefined
  readonly stale: boolean
  readonly algorithm: HashAlgorithm
  readonly sess: boolean
  /** As it stood, to be sent back; undefined when the server named none, which means MD5. */
  readonly algorithmToken: string | undefined
  readonly qop: 'auth' | 'auth-int' | undefined
  /** Times the nonce was used. */
  uses: number
}

/** A call through a chain of proxies that each ask has a few. */
const MAX_REALMS = 8
const BARE = new Set(['algorithm', 'qop', 'nc'])

/** Digest challenges that we can reckon, in order. */
function readChallenges(headers: SipHeaders, name: 'www-authenticate' | 'proxy-authenticate'): Challenge[] {
  return headers.auth(name).flatMap((header) => readChallenge(header, name === 'proxy-authenticate') ?? [])
}

function readChallenge({ scheme, params }: AuthHeader, proxy: boolean): Challenge | undefined {
  const realm = params.get('realm')
  const nonce = params.get('nonce')
  const algorithm = readAlgorithm(params.get('algorithm'))
  const qop = chooseQop(params.get('qop'))
  if (scheme !== 'digest' || realm === undefined || nonce === undefined || algorithm === undefined || qop === null) return undefined
  const stale = params.get('stale')?.toLowerCase() === 'true'
  return { proxy, realm, nonce, opaque: params.get('opaque'), stale, ...algorithm, algorithmToken: params.get('algorithm'), qop, uses: 0 }
}

function readAlgorithm(token: string | undefined): { algorithm: HashAlgorithm; sess: boolean } | undefined {
  const name = (token ?? 'MD5').toUpperCase()
  const sess = name.endsWith('-SESS')
  const base = sess ? name.slice(0, -5) : name
  return base === 'MD5' || base === 'SHA-256' || base === 'SHA-512-256' ? { algorithm: base, sess } : undefined
}

/** Null when only unknown kinds are offered. */
function chooseQop(text: string | undefined): 'auth' | 'auth-int' | undefined | null {
  if (text === undefined || text === '') return undefined
  const offered = text
    .toLowerCase()
    .split(',')
    .map((kind) => kind.trim())
  if (offered.includes('auth')) return 'auth'
  return offered.includes('auth-int') ? 'auth-int' : null
}

function firstOfEachRealm(challenges: readonly Challenge[]): Challenge[] {
  const first = new Map<string, Challenge>()
  for (const challenge of challenges) if (!first.has(keyOf(challenge))) first.set(keyOf(challenge), challenge)
  return [...first.values()]
}

function keyOf({ proxy, realm }: Challenge): string {
  return `${proxy ? 'proxy' : 'server'} ${realm}`
}

/**
 * The request already carried our credentials for this realm, made for this peer's last challenge. With a nonce remembered from before they prove
 * nothing: a peer that was started again does not know it, and does not call it stale either.
 */
function wasRefused({ stale, proxy, realm }: Challenge, sent: SipHeaders): boolean {
  const carried = sent.auth(proxy ? 'proxy-authorization' : 'authorization').filter(({ params }) => params.get('realm') === realm)
  return !stale && carried.some(({ params }) => parseInt(params.get('nc') ?? '1', 16) === 1)
}

function carries(sent: SipHeaders, { proxy, realm }: Challenge): boolean {
  return sent.auth(proxy ? 'proxy-authorization' : 'authorization').some(({ params }) => params.get('realm') === realm)
}
