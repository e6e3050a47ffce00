import type { Body, TransportName } from '#sip/agent.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { EndpointListeners } from '#calls/endpoint-listeners.ts'
import { type Encryption, legEncryption, type LegEncryption, localCrypto, usualEncryption } from '#calls/encryption.ts'
import { withKeysOpened, withKeysSealed } from '#calls/kept-keys.ts'
import { fromKeptMedia, keptWith, toKeptMedia } from '#calls/kept-media.ts'
import type { KeptMedia, MediaBasics } from '#calls/kept.ts'
import { isG711 } from '#media/codec/g711.ts'
import type { Codec, Direction, Endpoint, EndpointEvents, StreamParams } from '#media/engine.ts'
import type { LocalMedia, Peer, Refused } from '#media/sdp/local-media.ts'
import type { Sdp } from '#media/sdp/sdp.ts'
import { acceptAnswer, answerOffer, makeOffer, refuseMalformed } from '#media/sdp/offer-answer.ts'
import { parseSdp } from '#media/sdp/parse-sdp.ts'
import { writeSdp } from '#media/sdp/write-sdp.ts'

/** What a leg's media needs of the call's surroundings. */
export type MediaNeeds = Pick<CallNeeds, 'media' | 'random' | 'addresses' | 'vault'>

/** Audio that stays away for so long ends a leg. */
const silenceMs = 60_000

export interface MediaRefusal {
  refused: number
  why: string
}

/** A leg's media port and what offer/answer has settled about it. The only place where SIP bodies and media meet. */
export class LegMedia {
  readonly endpoint: Endpoint
  #needs: MediaNeeds
  readonly #listeners = new EndpointListeners()
  #peerAddress: string
  #codecs: readonly Codec[]
  #sessionId: string
  /** Our description as it was last sent; null before there is one. */
  #text: string | null = null
  /** The same taken apart, while it is to be agreed on: who talks does not keep its dozens of objects in memory. */
  #own: Sdp | null = null
  #stream: StreamParams | null = null
  #encryption: LegEncryption
  /** Our offers are of a protected stream. */
  #offersSecure: boolean
  #toldHeld = false
  #closed = false

  private constructor(needs: MediaNeeds, endpoint: (events: EndpointEvents) => Endpoint | null, options: MediaOptions) {
    this.#needs = needs
    this.#peerAddress = options.peer
    this.#codecs = ordered(options.codecs ?? usualCodecs, options.near?.stream?.codec)
    this.#encryption = legEncryption(options.encryption ?? usualEncryption, options.transport ?? 'udp')
    this.#offersSecure = this.#encryption.first
    this.#sessionId = String(needs.random.below(2 ** 47))
    const opened = endpoint(this.#listeners)
    if (opened === null) throw new NoPort()
    this.endpoint = opened
  }

  /** Takes a port; null when none is free. */
  static open(needs: MediaNeeds, options: MediaOptions): LegMedia | null {
    try {
      // Audio goes by the family of the signalling: a phone that reached us by IPv6 may have nothing else.
      const family = options.peer.includes(':') ? 'IPv6' : 'IPv4'
      return new LegMedia(needs, (events) => needs.media.open(events, options.near?.endpoint, family), options)
    } catch (fault) {
      if (fault instanceof NoPort) return null
      throw fault
    }
  }

  /** Takes over what an earlier life of the server had agreed on; null when that cannot be read. */
  static adopt(needs: MediaNeeds, record: KeptMedia): LegMedia | null {
    const sealed = fromKeptMedia(record)
    if (sealed === null) return null
    const kept = withKeysOpened(sealed, needs.vault)
    const media = new LegMedia(needs, (events) => needs.media.adopt(kept.endpoint, events), { peer: kept.peer, codecs: kept.codecs })
    media.#describe(kept.own)
    media.#agree(kept.stream)
    media.#encryption = kept.encryption ?? media.#encryption
    media.#offersSecure = kept.stream.crypto !== undefined || sealed.keys !== undefined
    media.#toldHeld = media.isHeld
    return media
  }

  get stream(): StreamParams | null {
    return this.#stream
  }

  /** The peer does not want to hear us: it has put us on hold. */
  get isHeld(): boolean {
    return this.#stream !== null && (this.#stream.direction === 'recvonly' || this.#stream.direction === 'inactive')
  }

  /** True or false when the peer has put us on hold or taken us back since last asked, else null. */
  holdChanged(): boolean | null {
    if (this.isHeld === this.#toldHeld) return null
    this.#toldHeld = this.isHeld
    return this.isHeld
  }

  /** Listens to the endpoint, beside whoever does already. */
  attach(events: EndpointEvents): void {
    this.#listeners.attach(events)
  }

  /** Who was attached hears nothing more. */
  detach(events: EndpointEvents): void {
    this.#listeners.detach(events)
  }

  /** Our offer: the first, or a further one with its version counted on. */
  offer(direction: Direction = 'sendrecv'): Body {
    return bodyWith(this.#describe(makeOffer(this.#local(direction), this.#previous)))
  }

  /**
   * The far end refused our first offer with 488 or the like: whether another, encrypted where that was in clear and the other way
   * round, may be made.
   */
  mayOfferOtherwise(): boolean {
    if (this.#stream !== null || this.#encryption.use !== 'offered' || !this.#encryption.secure) return false
    if (this.#offersSecure !== this.#encryption.first) return false
    this.#offersSecure = !this.#offersSecure
    this.#own = null
    this.#text = null
    return true
  }

  /** Our description as it stands, version and all: what a refresh offers (RFC 4028 §7.4). Null before there is one. */
  repeat(): Body | null {
    return this.#text === null ? null : bodyWith(this.#text)
  }

  /** Our answer to an offer, after which the stream flows as agreed. */
  answer(offer: Body): Body | MediaRefusal {
    const parsed = sdpOf(offer)
    if ('refused' in parsed) return parsed
    const result = answerOffer({ offer: parsed, local: this.#local('sendrecv'), peer: this.#peer(), previous: this.#previous })
    if (result.kind === 'refused') return refusal(result)
    const text = this.#describe(result.sdp)
    this.#aim(result.stream)
    return bodyWith(text)
  }

  /** The answer to our offer. */
  accept(answer: Body): 'ok' | { why: string } {
    const parsed = sdpOf(answer)
    if ('refused' in parsed) return { why: parsed.why }
    const offer = this.#previous
    if (offer === undefined) return { why: 'an answer without an offer' }
    const result = acceptAnswer({ offer, answer: parsed, local: this.#local('sendrecv'), peer: this.#peer() })
    if (result.kind === 'refused') return { why: result.why }
    this.#aim(result.stream)
    return 'ok'
  }

  keep(): KeptMedia | null {
    const text = this.#text
    const stream = this.#stream
    if (stream === null || text === null) return null
    const basics: MediaBasics = { endpoint: this.endpoint.keep(), peer: this.#peerAddress, codecs: this.#codecs }
    if (this.#encryption.use !== 'offered' || this.#encryption.secure) basics.encryption = this.#encryption
    if (stream.crypto === undefined && !text.includes(KEY_LINE)) return keptWith(basics, stream, text)
    const own = this.#previous
    return own === undefined ? null : toKeptMedia(withKeysSealed({ ...basics, stream, own }, this.#needs.vault))
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.endpoint.close()
  }

  /** What we say from now on, as text. */
  #describe(own: Sdp): string {
    this.#own = own
    return (this.#text = writeSdp(own))
  }

  /** What we have said last: further offers and answers are made over it. */
  get #previous(): Sdp | undefined {
    if (this.#own !== null || this.#text === null) return this.#own ?? undefined
    const parsed = parseSdp(this.#text)
    return parsed.kind === 'sdp' ? parsed : undefined
  }

  #agree(stream: StreamParams): void {
    this.#stream = stream
    // What a peer had in streams that we refused might not be read back.
    if (this.#own?.media.length === 1) this.#own = null
  }

  #aim(stream: StreamParams): void {
    this.#agree(stream)
    this.#offersSecure = stream.crypto !== undefined || this.#encryption.use === 'required'
    this.endpoint.aim(stream)
  }

  #local(direction: Direction): LocalMedia {
    const { address, port } = this.endpoint.local
    return {
      address: this.#needs.addresses.media(this.#peerAddress, address),
      port,
      codecs: this.#codecs,
      direction,
      ptimeMs: 20,
      sessionId: this.#sessionId,
      crypto: localCrypto(this.#encryption, this.#offersSecure, this.#needs.random),
    }
  }

  #peer(): Peer {
    return { signallingAddress: this.#peerAddress, localNetworks: this.#needs.addresses.localNetworks, silenceMs }
  }
}

export interface MediaOptions {
  /** Where the peer's signalling comes from: decides which address of ours it is told, and who may send audio. */
  peer: string
  /** The leg that this one will be joined with. */
  near?: LegMedia | undefined
  codecs?: readonly Codec[] | undefined
  /** How the peer's signalling travels, and whether its audio is to be encrypted; default UDP and the usual. */
  transport?: TransportName
  encryption?: Encryption | undefined
}

class NoPort extends Error {
  override name = 'NoPort'
}

/** How an attribute that tells a key is written. */
const KEY_LINE = '\r\na=crypto:'

function bodyWith(text: string): Body {
  return { contentType: SDP_TYPE, bytes: Buffer.from(text) }
}

const SDP_TYPE = 'application/sdp'

function sdpOf(body: Body): Sdp | MediaRefusal {
  const type = body.contentType === SDP_TYPE ? SDP_TYPE : body.contentType.split(';')[0]?.trim().toLowerCase()
  if (type !== SDP_TYPE) return { refused: 415, why: `a body of ${type ?? 'no type'} is not understood, application/sdp is` }
  const parsed = parseSdp(body.bytes)
  return parsed.kind === 'sdp' ? parsed : refusal(refuseMalformed(parsed))
}

/** Where nobody prefers: what everybody has first, as audio that is passed on costs nothing. */
const usualCodecs: readonly Codec[] = ['PCMA', 'PCMU', 'G722', 'opus']

/** The partner's codec first, then the other law of G.711 where it has one: then audio is decoded only where the two share no codec. */
function ordered(codecs: readonly Codec[], partner: Codec | undefined): readonly Codec[] {
  if (partner === undefined) return codecs
  // A call taken over from a newer server may have a codec that is not known here.
  return (codecs === usualCodecs ? usualByPartner[partner] : undefined) ?? sortedFor(partner, codecs)
}

function sortedFor(partner: Codec, codecs: readonly Codec[]): readonly Codec[] {
  const rank = (codec: Codec): number => (codec === partner ? 0 : isG711(codec) && isG711(partner) ? 1 : 2)
  return codecs.toSorted((a, b) => rank(a) - rank(b))
}

const usualByPartner: Readonly<Partial<Record<Codec, readonly Codec[]>>> = {
  PCMA: sortedFor('PCMA', usualCodecs),
  PCMU: sortedFor('PCMU', usualCodecs),
  G722: sortedFor('G722', usualCodecs),
  opus: sortedFor('opus', usualCodecs),
}

function refusal(refused: Refused): MediaRefusal {
  return { refused: refused.status, why: refused.why }
}
