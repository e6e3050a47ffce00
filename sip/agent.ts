import type { Millis } from '#base/clock.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

/**
 * The face of the SIP room. Bodies are bytes with a content type; what is in them is another room's business.
 * The agent owns transports, transactions, dialogs and authentication; its owner decides who may do what (`SipPolicy`).
 */
export interface SipAgent {
  /** Starts an INVITE. Every event comes later than this call returns, in order. */
  invite(spec: InviteSpec, events: OutgoingEvents): OutgoingInvite
  /** Any request outside a dialog (OPTIONS, REGISTER, MESSAGE, NOTIFY). Resolves with the final response, or how it failed; answers one challenge when `credentials` are given. */
  request(spec: RequestSpec): Promise<SipResponse | Unanswered>
  /** Takes over a dialog kept by another process life. Its CSeq continues above what that life can have used. */
  adopt(kept: KeptDialog, events: DialogEvents): InviteDialog
  /** While draining or overloaded, new out-of-dialog INVITEs get 503 with Retry-After; dialogs are served. */
  drain(retryAfterSeconds: number): void
  close(): Promise<void>
}

/** The owner's decisions, asked once per request outside a dialog, before any transaction user sees it. Must answer at once (no I/O). */
export interface SipPolicy {
  /** Who sends this? */
  identify(request: SipRequest, source: Flow): Identified
  onInvite(incoming: IncomingInvite, who: Identity): void
  /** Registered by the owner for methods it serves outside dialogs (MESSAGE, SUBSCRIBE, ...); others get 405 with Allow. REGISTER and OPTIONS are served by the agent. */
  onRequest?(request: IncomingRequest, who: Identity): void
  /** A SUBSCRIBE outside dialogs, where the owner serves it. */
  onSubscribe?(request: IncomingSubscribe, who: Identity): void
  /** An INVITE was answered 2xx for a call nobody knows (our earlier life); it has been acknowledged and ended by the agent. */
  onStray?(callId: string): void
}

/** Result of `identify`. Unknown users must be answered exactly like known ones: return `challenge` with `user: null`. */
export type Identified =
  | { kind: 'trusted'; identity: Identity }
  /** Digest. `user: null` lets the challenge run and always fail, in the same time. */
  | { kind: 'challenge'; realm: string; user: DigestUser | null }
  | { kind: 'refuse'; status: number; reason: string; retryAfter?: number }

export interface DigestUser {
  /**
   * The name that the credentials must carry, as it stands in `ha1`. Give it: without it a guesser may put other names into its credentials
   * and is then counted against those.
   */
  username?: string
  /** Allowed algorithms in the order offered. */
  algorithms: readonly DigestAlgorithm[]
  /** Lower-case hexadecimal H(user:realm:password) by algorithm (RFC 7616 §3.4.2). */
  ha1: Partial<Record<DigestAlgorithm, string>>
  identity: Identity
}
export type DigestAlgorithm = 'MD5' | 'SHA-256'

/** Opaque to this room: what the owner knows about the sender (tenant, device or trunk). */
export interface Identity {
  readonly id: string
  /** The address of record a device may register, `user@domain` in lower case; null for peers that may not register. */
  readonly aor: string | null
  /**
   * Whether a phone may write this host (lower case, no brackets) as the domain of its own address of record in To and From: its company's other
   * domains, or an address of ours, for phones that know us by no name. The binding is that of `aor` all the same. Absent: only the AOR's own.
   */
  readonly knowsDomain?: (host: string) => boolean
}

export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

/** Who must be at the other end of a TLS connection that we make (RFC 5922 §7). */
export interface ExpectedPeer {
  /** The SIP domain or address that its certificate must be for; also sent as server name (RFC 6066 §3). */
  readonly name: string
  /** Who may vouch for it: the authorities this system trusts, only those in a PEM text, or nobody, so that anyone may be there. */
  readonly trust: 'authorities' | 'anyone' | { readonly pem: string }
}

/** One path to a peer: a UDP address pair, or one stream connection. Answers and in-dialog requests of a connection go back over it. */
export interface Flow {
  readonly transport: TransportName
  readonly local: { address: string; port: number }
  readonly remote: { address: string; port: number }
  /** Identifies a stream connection for its life; null on UDP. */
  readonly connection: number | null
  /** Of a TLS connection that we made, so that it can be made again. */
  readonly expects?: ExpectedPeer
}

/** Where to send: an address or a name, and how. */
export interface SendTo {
  transport: TransportName
  address: string
  port: number
  /** On TLS; absent: a certificate for `address` that the authorities this system trusts vouch for. */
  expects?: ExpectedPeer
}

export interface InviteSpec {
  /** Request-URI. */
  uri: string
  /** Name-addr strings, without tags. */
  from: string
  to: string
  /** Where to send: a registered contact's flow, or an address to resolve; default is the URI's host, port and transport. */
  via?: Flow | SendTo
  /** Pre-loaded Route (outbound proxy, Path of a contact). */
  route?: readonly string[]
  headers?: readonly (readonly [name: string, value: string])[]
  /** User part of our Contact; absent: none. */
  contactUser?: string
  body?: Body
  credentials?: Credentials
  /** Give up on no final answer after so long (after a provisional, too). The agent cancels. */
  timeoutMs?: Millis
  /** Give up on no answer of any kind after so long (a dead trunk): default Timer B, 32 s. */
  silenceMs?: Millis
  /** Hops that the call may still take (RFC 3261 §20.22); default 70. Of a call that came from elsewhere: one less than it came with. */
  maxForwards?: number
  /** Parallel branches that the call may still become, this one included (RFC 5393 §5); absent: it is not said. */
  maxBreadth?: number
}

export interface Credentials {
  user: string
  password: string
  /** Only challenges of these realms are answered; absent: any realm, but only from the host this was sent to. */
  realms?: readonly string[]
}

export interface Body {
  contentType: string
  bytes: Uint8Array
}

/** No final answer: `timeout` (B/F, silenceMs), `transport` (refused, unreachable, connection lost), `too-long` (timeoutMs, or cancelled by the owner while nobody refused). */
export interface Unanswered {
  kind: 'unanswered'
  why: 'timeout' | 'transport' | 'too-long'
  detail: string
}

/** An INVITE that we sent. */
export interface OutgoingInvite {
  readonly callId: string
  readonly localTag: string
  /** CANCEL (after the first provisional, as RFC 3261 §9.1 asks); a 2xx that crosses is acknowledged and ended. `onFailed` follows. Idempotent. */
  cancel(reason?: Reason): void
}
export interface OutgoingEvents {
  /** 101 to 199. Early dialogs of forks are told apart by `tag`. */
  onProvisional?(response: SipResponse, tag: string): void
  /**
   * The first 2xx. The owner must call `dialog.acknowledge()`, at once or after building an answer to an offer in it. Later 2xx of other forks are
   * acknowledged and ended by the agent.
   */
  onAnswered(response: SipResponse, dialog: InviteDialog): void
  /** 300 to 699, or no answer. 3xx arrive here with their Contacts: following is the owner's decision. */
  onFailed(failure: SipResponse | Unanswered): void
  /** Events of the dialog that `onAnswered` gives. */
  dialog: DialogEvents
}

/** Value of a Reason header (RFC 3326), e.g. `SIP;cause=200;text="Call completed elsewhere"`. */
export type Reason = string

/** An INVITE that we received, authenticated. Its 100 is sent, or will be unless something else is said within 150 ms. */
export interface IncomingInvite {
  readonly request: SipRequest
  readonly flow: Flow
  /** Our tag in the dialog that is to be. */
  readonly localTag: string
  /** The caller acknowledges provisional responses (RFC 3262): one with a body is repeated until it does, and may hold our offer. */
  readonly isReliable: boolean
  /** Who hears of the session before the answer: the answer to an offer of ours, and offers by PRACK or UPDATE. Set by the owner at once. */
  early: Pick<DialogEvents, 'onAcknowledged' | 'onReinvite' | 'onRequest'> | null
  /** 180 or 183 (repeated as long as the INVITE lives, RFC 3261 §13.3.1.1). */
  progress(status: number, body?: Body): void
  /** 2xx with these further headers, retransmitted until its ACK. Without `body` where a reliable provisional response has settled the session. */
  accept(body: Body | null, events: DialogEvents, headers?: readonly (readonly [string, string])[]): InviteDialog
  reject(status: number, reason?: string, headers?: readonly (readonly [string, string])[]): void
  /** CANCEL came, or the caller is gone (`lost` says how that was noticed): the INVITE has its answer. Set by the owner at once. */
  onCancelled: (reason: Reason | null, lost?: string) => void
}

export interface IncomingRequest {
  readonly request: SipRequest
  readonly flow: Flow
  respond(status: number, reason?: string, headers?: readonly (readonly [string, string])[], body?: Body): void
}

/** A SUBSCRIBE outside dialogs (RFC 6665 §4.2.1). What `respond` answers carries the tag of the dialog that `open` makes. */
export interface IncomingSubscribe extends IncomingRequest {
  /** Opens the dialog of the subscription; call it once, before `respond` with a 2xx. `onRequest`: SUBSCRIBEs within it, which the owner answers. */
  open(onRequest: (incoming: IncomingRequest) => void): EventDialog
}

/** The dialog of a subscription that we notify. */
export interface EventDialog {
  /** The peer's Contact. */
  readonly remoteTarget: string
  /** A NOTIFY, after the one before it was answered. Resolves with the final response, or how it failed. */
  request(method: string, headers: readonly (readonly [string, string])[], body?: Body): Promise<SipResponse | Unanswered>
  /** Plain data from which `Agent.adoptEvents` goes on. Valid for the next thousand requests in the dialog. */
  keep(): KeptDialog
  /** The subscription is over: requests within it get 481 from now on. What is under way is finished. */
  forget(): void
}

/** The INVITE usage of a dialog. */
export interface InviteDialog {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
  /** The peer's Contact. */
  readonly remoteTarget: string
  /** Sends the ACK for our INVITE's 2xx, with the answer when the 2xx carried the offer. */
  acknowledge(body?: Body): void
  /** Offer in a re-INVITE (body null: offerless). Glare (491) is retried by the agent (RFC 3261 §14.1). The ACK to a 2xx that brings an offer must come from `onResult`'s `acknowledge`. */
  reinvite(body: Body | null, onResult: (result: SipResponse | Unanswered, acknowledge: (body?: Body) => void) => void): void
  /** INFO, REFER, NOTIFY, MESSAGE, OPTIONS, UPDATE within the dialog. */
  request(method: string, headers: readonly (readonly [string, string])[], body?: Body): Promise<SipResponse | Unanswered>
  /** BYE, whatever is going on; idempotent. `onEnded` is not called for our own BYE. */
  bye(reason?: Reason): void
  /** Plain data from which `adopt` can go on. Valid until the next request in the dialog. */
  keep(): KeptDialog
}

export interface DialogEvents {
  /** The ACK of our 2xx came; `body` when it carries the answer to our offer. */
  onAcknowledged?(body: Body | null): void
  /** A re-INVITE (or UPDATE with an offer): answer with `accept` or `reject`. */
  onReinvite(request: SipRequest, reply: { accept(body: Body | null): void; reject(status: number, reason?: string): void }): void
  /** INFO, REFER, NOTIFY, MESSAGE in the dialog. */
  onRequest?(request: IncomingRequest): void
  /** The peer's BYE (already answered), the ACK never came, a request got 481 or 408, or a stream connection that no reconnect replaced. Once. */
  onEnded(why: DialogEnd): void
  /** The dialog's kept data changed (CSeq, target): keep it again. */
  onChanged?(): void
  /** Our session description as it stands, its version unchanged: for a refresh by re-INVITE (RFC 4028 §7.4). Null: there is none. */
  sessionBody?(): Body | null
  /** The answer to it. */
  onRefreshed?(answer: Body): void
}
/** `expired`: the session timer ran out, the peer is gone (RFC 4028 §10). */
export type DialogEnd = { kind: 'bye'; reason: Reason | null } | { kind: 'no-ack' } | { kind: 'gone' | 'expired'; detail: string }

/** Dialog state as plain data (RFC 3261 §12). */
export interface KeptDialog {
  callId: string
  localTag: string
  remoteTag: string
  localUri: string
  remoteUri: string
  remoteTarget: string
  routeSet: string[]
  localSeq: number
  remoteSeq: number
  /** Where the last message of this dialog came from. */
  flow: Flow
  secure: boolean
  /** Requests go over `flow` whatever the target says: addresses are translated between the peer and us. Absent: no. */
  translated?: boolean
  /** The session timer; absent: none. */
  session?: KeptSession
}

/** What two sides have agreed about the life of their session (RFC 4028). */
export interface KeptSession {
  /** Seconds from one refresh to the end. */
  expires: number
  refresher: 'us' | 'peer'
  /** Wall time, ms. */
  refreshedAt: number
  /** The peer knows UPDATE. */
  updates: boolean
}

export interface RequestSpec {
  method: string
  uri: string
  from: string
  to: string
  via?: InviteSpec['via']
  route?: readonly string[]
  headers?: readonly (readonly [string, string])[]
  /** User part of our Contact; absent: none. */
  contactUser?: string
  body?: Body
  credentials?: Credentials
  /** Default Timer F, 32 s. */
  timeoutMs?: Millis
  /** Continue this Call-ID and CSeq (registrations). */
  callId?: string
  cseq?: number
}
