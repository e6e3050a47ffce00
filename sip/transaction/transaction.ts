import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { TimerBase } from '#sip/transaction/timings.ts'

/**
 * The transaction layer (RFC 3261 §17, RFC 6026): matches what comes in to the transactions that live, absorbs and answers
 * retransmissions, and hands the rest up to one `TransactionUser`.
 */
export interface Transactions {
  /**
   * Sends a request and follows it to its end. The layer takes the request over and puts our Via on it, instead of one that
   * is there. Not for ACK. Events come after this call returned, in order.
   */
  request(request: SipRequest, flow: Flow, events: ClientEvents): ClientTransaction
  /** Sends a request that starts no transaction: an ACK for a 2xx (RFC 3261 §13.2.2.4). The result sends the same bytes again, when the 2xx repeats. */
  acknowledge(ack: SipRequest, flow: Flow): () => void
  /** Answers new INVITEs outside dialogs with 503 and Retry-After; null takes them again. Everything else is served. */
  drain(retryAfterSeconds: number | null): void
  readonly counts: TransactionCounts
  /** Ends every transaction without a word. Idempotent. */
  close(): void
}

/** Who uses the transactions: the agent. None of these may throw; one that does is logged and costs that message only. */
export interface TransactionUser {
  /**
   * A new request, never an ACK or a CANCEL (those are `onAck`, `ServerEvents.onCancelled`), never a retransmission, a merged
   * request or one that overload sheds. Must be answered sooner or later by `transaction.respond`.
   */
  onRequest(transaction: ServerTransaction): void
  /** An ACK that belongs to no failed INVITE: for a 2xx, or for nothing. */
  onAck(ack: SipRequest, flow: Flow): void
  /** A response to nothing we know; a 2xx to an INVITE of an earlier life of ours is one. */
  onStrayResponse(response: SipResponse, flow: Flow): void
  /** A stream connection is gone. Transactions over it have been told already. */
  onFlowFailed(flow: Flow, why: string): void
}

/** What happens to a request that we sent. Each event names its transaction: whoever asks several times in turn hears all of them itself. */
export interface ClientEvents {
  /** Every provisional response; the final one; for an INVITE also each later 2xx for 64·T1 (forks and repetitions, RFC 6026). */
  onResponse(response: SipResponse, flow: Flow, transaction: ClientTransaction): void
  /** No final response: Timer B or F fired, nothing followed a CANCEL for 64·T1, or the network cannot reach the peer. Last event. */
  onFailed(why: 'timeout' | 'transport', detail: string, transaction: ClientTransaction): void
}

/** One of our requests under way. */
export interface ClientTransaction {
  /** As sent, with its Via; null when its final response has been handed up: what may wait for half a minute must not hold on to messages. */
  readonly request: SipRequest | null
  readonly flow: Flow
  /**
   * CANCELs an INVITE (RFC 3261 §9.1): at once when a provisional response has come, else as soon as one comes; nothing
   * after a final. The INVITE ends by its own final response (487), or fails with `timeout` 64·T1 later. Idempotent.
   */
  cancel(headers?: readonly (readonly [name: string, value: string])[]): void
  /** Stops waiting, silently: no further event, no further packet. For an owner whose own time is up. */
  abandon(): void
}

/** A request that somebody sent us. */
export interface ServerTransaction {
  readonly request: SipRequest
  readonly flow: Flow
  /** Set by the owner at once, in `onRequest`. */
  events: ServerEvents
  /**
   * Whoever sent it has said who they are, or it belongs to a dialog. Of what strangers are answered little is kept: where many come, a request
   * repeated is answered anew (RFC 3261 §26.3.2.4), with the same To tag if that is a `statelessTag` (§8.2.7).
   */
  proved(): void
  readonly isProved: boolean
  /** Sends a provisional or the final response; a 2xx to an INVITE may be given again (or `resend`), other finals end the choice. False when it came too late. */
  respond(response: SipResponse): boolean
  /** Sends the last response to an INVITE again, byte for byte: how a 2xx is repeated until its ACK (RFC 3261 §13.3.1.4). */
  resend(): void
}

export interface ServerEvents {
  /** A CANCEL came before the final response, and was answered 200: answer the INVITE with 487 (RFC 3261 §9.2). */
  onCancelled?(cancel: SipRequest): void
  /** The final response cannot be delivered (transport), or a failure response to an INVITE was never acknowledged (Timer H). */
  onFailed?(why: 'timeout' | 'transport', detail: string): void
}

/** Gauges and counters since the start. */
export interface TransactionCounts {
  readonly clients: number
  readonly servers: number
  /** Of both: those that only wait for retransmissions. */
  readonly finished: number
  readonly requestsIn: number
  readonly requestsOut: number
  /** Requests that came again and were absorbed. */
  readonly repeatsIn: number
  /** Requests and responses that a timer or a repeated request made us send again. */
  readonly repeatsOut: number
  /** Answered 503: overloaded or draining. */
  readonly shed: number
  /** Dropped without a word: above twice the bound. */
  readonly dropped: number
  /** Answered 482 (RFC 3261 §8.2.2.2). */
  readonly merged: number
  readonly strayResponses: number
  /** Timers B, F, H, and INVITEs that outlived their CANCEL. */
  readonly timeouts: number
  /** Exceptions thrown by the transaction user: bugs. */
  readonly faults: number
}

/** Limits and policy of the layer; each has a default. */
export interface TransactionOptions extends TimerBase {
  /** An INVITE gets its 100 this late unless a response went before: 0 at once, at most 200 ms (RFC 3261 §17.2.1). Default 0. */
  tryingAfter: Millis
  /**
   * Above so many unfinished transactions new requests outside dialogs are shed with 503; above twice as many everything new is
   * dropped. Default 20,000.
   */
  maxTransactions: number
  /**
   * So many finished ones are kept to answer retransmissions, about 1 kB each; beyond, the oldest are forgotten before their timers J and L, of
   * INVITEs or of other requests, whichever are more. Default 32,768: at 1,000 calls a second they still live for 16 s, long after the last retransmission.
   */
  maxFinished: number
  /**
   * Of those, so many were answered to strangers; what more strangers ask is answered and forgotten, save where a phone is known to be.
   * Default 2,048.
   */
  maxStrangers: number
  /** When timers run this late the process is overloaded: new requests outside dialogs are shed until it is half. Default 250 ms. */
  maxLateness: Millis
  /** Retry-After of what is shed, seconds: from this to twice as much, so that not all come back at once. Default 5. */
  retryAfter: number
  /** So many requests a second are told that they are shed; above, they are dropped without a word. Default 2,000. */
  shedPerSecond: number
  /** Something behind us falls behind (the journal): new requests are shed. Asked once for each. */
  isStrained?: () => boolean
  /** Requests that are never shed (emergency calls). */
  isPriority?: (request: SipRequest) => boolean
}
