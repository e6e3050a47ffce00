import { flatText } from '#base/flat-text.ts'
import type { Flow, KeptDialog } from '#sip/agent.ts'
import { type Routed, routed, withoutHeaders } from '#sip/dialog/route.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { formatNameAddr, type NameAddr } from '#sip/message/name-addr.ts'
import { isIpv4, isIpv6 } from '#sip/message/host.ts'
import type { Via } from '#sip/message/via.ts'

/**
 * How far CSeq jumps when a dialog is taken over: an earlier life may have sent requests after the dialog was last kept. A peer must
 * accept any higher number (RFC 3261 §12.2.2).
 */
export const ADOPTED_SEQ_MARGIN = 1000

/** Above this a CSeq may not begin (RFC 3261 §8.1.1.5); our own never get there. */
const MAX_SEQ = 2 ** 31 - 1

/** A connection number that no live connection has. */
export const GONE = -1

/** How a request's CSeq stands to those before it (RFC 3261 §12.2.2). */
export type Order = 'next' | 'same' | 'late'

/** A dialog as values: who, through which route, how far the numbers are (RFC 3261 §12). No I/O, no time. */
export class Dialog {
  readonly callId: string
  readonly localTag: string
  /** Empty for a peer of RFC 2543, which sends none. */
  readonly remoteTag: string
  /** From or To as written in our requests, without tag. */
  readonly localUri: string
  readonly remoteUri: string
  /** Route values, first hop first. */
  readonly routeSet: readonly string[]
  readonly secure: boolean
  /** The peer does not know the address that it is seen at: what it writes into Contact does not lead to it. */
  readonly translated: boolean
  #remoteTarget: string
  #localSeq: number
  #remoteSeq: number
  #flow: Flow

  private constructor(kept: KeptDialog) {
    this.callId = kept.callId
    this.localTag = kept.localTag
    this.remoteTag = kept.remoteTag
    this.localUri = kept.localUri
    this.remoteUri = kept.remoteUri
    this.routeSet = [...kept.routeSet]
    this.secure = kept.secure
    this.translated = kept.translated ?? false
    this.#remoteTarget = kept.remoteTarget
    this.#localSeq = kept.localSeq
    this.#remoteSeq = kept.remoteSeq
    this.#flow = kept.flow
  }

  /**
   * The dialog that a response with a To tag makes for the sender of the INVITE (RFC 3261 §12.1.2). From, To, Call-ID and CSeq of a response
   * are those of the request, so the response alone is enough. `uri`: the INVITE's Request-URI, the target when no Contact came.
   * `translated`: the INVITE went over a flow that the device itself opened.
   */
  static ofResponse(response: SipResponse, uri: string, flow: Flow, translated = false): Dialog {
    const { headers } = response
    return new Dialog(
      fromOwnMemory({
        callId: headers.callId,
        localTag: headers.from.tag ?? '',
        remoteTag: headers.to.tag ?? '',
        localUri: withoutTag(headers.from),
        remoteUri: withoutTag(headers.to),
        remoteTarget: targetOf(headers) ?? uri,
        routeSet: headers.all('Record-Route').toReversed(),
        localSeq: headers.cseq.seq,
        remoteSeq: -1,
        flow,
        secure: uri.startsWith('sips:'),
        translated,
      }),
    )
  }

  /** The dialog that our answer to an INVITE makes (RFC 3261 §12.1.1). */
  static ofInvite(invite: SipRequest, localTag: string, flow: Flow): Dialog {
    const { headers } = invite
    return new Dialog(
      fromOwnMemory({
        callId: headers.callId,
        localTag,
        remoteTag: headers.from.tag ?? '',
        localUri: withoutTag(headers.to),
        remoteUri: withoutTag(headers.from),
        // A caller of RFC 2543 may name no Contact; its From is the best there is.
        remoteTarget: targetOf(headers) ?? withoutHeaders(headers.from.uri),
        routeSet: [...headers.all('Record-Route')],
        localSeq: 0,
        remoteSeq: headers.cseq.seq,
        flow,
        secure: invite.uri.startsWith('sips:'),
        translated: isTranslated(headers.via),
      }),
    )
  }

  /** Counts on from the early dialog that this one confirms: PRACK and UPDATE have used numbers already (RFC 3261 §12.2.1.1). */
  goOnFrom(early: Dialog): void {
    this.#localSeq = Math.max(this.#localSeq, early.#localSeq)
    this.#remoteSeq = Math.max(this.#remoteSeq, early.#remoteSeq)
  }

  /** Goes on where another process life stopped. That life's stream connection is gone; a number of this life must not be taken for it. */
  static adopt(kept: KeptDialog): Dialog {
    const flow = kept.flow.connection === null ? kept.flow : { ...kept.flow, connection: GONE }
    return new Dialog({ ...kept, flow, localSeq: Math.min(kept.localSeq + ADOPTED_SEQ_MARGIN, MAX_SEQ) })
  }

  get remoteTarget(): string {
    return this.#remoteTarget
  }

  /** Where the last request in order, or the response that made the dialog, came from. */
  get flow(): Flow {
    return this.#flow
  }

  get localSeq(): number {
    return this.#localSeq
  }

  get remoteSeq(): number {
    return this.#remoteSeq
  }

  /** Request-URI, Route and first hop of our next request. */
  get routed(): Routed {
    return routed(this.#remoteTarget, this.routeSet)
  }

  /** The number for our next request (not for ACK and CANCEL, which repeat the INVITE's). */
  takeSequence(): number {
    this.#localSeq = Math.min(this.#localSeq + 1, MAX_SEQ)
    return this.#localSeq
  }

  /** How a request's number stands, nothing noted. */
  order(request: SipRequest): Order {
    const { seq } = request.headers.cseq
    return seq > this.#remoteSeq ? 'next' : seq === this.#remoteSeq ? 'same' : 'late'
  }

  /** A request in order came over `flow`: its number counts, and the peer is reached there from now on. True if the flow is another one. */
  received(request: SipRequest, flow: Flow): boolean {
    this.#remoteSeq = request.headers.cseq.seq
    return this.moveTo(flow)
  }

  /** A target refresh (re-INVITE, UPDATE, and their 2xx) moves the remote target (RFC 3261 §12.2). True if it moved. */
  refreshTarget(headers: SipHeaders): boolean {
    const target = targetOf(headers)
    if (target === undefined || target === this.#remoteTarget) return false
    this.#remoteTarget = flatText(target)
    return true
  }

  /** The peer is reached over `flow` from now on. True if that is another one. */
  moveTo(flow: Flow): boolean {
    if (isSameFlow(flow, this.#flow)) return false
    this.#flow = flow
    return true
  }

  keep(): KeptDialog {
    return {
      callId: this.callId,
      localTag: this.localTag,
      remoteTag: this.remoteTag,
      localUri: this.localUri,
      remoteUri: this.remoteUri,
      remoteTarget: this.#remoteTarget,
      routeSet: [...this.routeSet],
      localSeq: this.#localSeq,
      remoteSeq: this.#remoteSeq,
      flow: this.#flow,
      secure: this.secure,
      translated: this.translated,
    }
  }
}

/** Whether both lead to the same peer: the same connection, or the same pair of addresses. */
export function isSameFlow(a: Flow, b: Flow): boolean {
  if (a === b) return true
  if (a.connection !== null || b.connection !== null) return a.connection === b.connection
  return isSameAddress(a.remote, b.remote) && isSameAddress(a.local, b.local) && a.transport === b.transport
}

/** The sender wants answers at its source port, and wrote another address or port than the one it was seen at (RFC 3581 §4). */
export function isTranslated(via: Via): boolean {
  if (typeof via.rport !== 'number') return false
  const seenElsewhere = via.received !== undefined && via.received !== via.host && (isIpv4(via.host) || isIpv6(via.host))
  return seenElsewhere || via.rport !== (via.port ?? 5060)
}

function isSameAddress(a: Flow['remote'], b: Flow['remote']): boolean {
  return a.port === b.port && a.address === b.address
}

function withoutTag(address: NameAddr): string {
  return formatNameAddr({ display: address.display, uri: address.uri })
}

/** The URI in Contact, when it is one that requests can go to. */
function targetOf(headers: SipHeaders): string | undefined {
  const contact = headers.contactsOrNull
  return contact === null || contact === '*' || contact[0] === undefined ? undefined : withoutHeaders(contact[0].uri)
}

/** A dialog outlives the message it was made of by long, and must not hold on to that message's bytes. */
function fromOwnMemory(kept: KeptDialog): KeptDialog {
  return {
    callId: flatText(kept.callId),
    localTag: flatText(kept.localTag),
    remoteTag: flatText(kept.remoteTag),
    localUri: flatText(kept.localUri),
    remoteUri: flatText(kept.remoteUri),
    remoteTarget: flatText(kept.remoteTarget),
    routeSet: kept.routeSet.map(flatText),
    localSeq: kept.localSeq,
    remoteSeq: kept.remoteSeq,
    flow: kept.flow,
    secure: kept.secure,
    translated: kept.translated ?? false,
  }
}
