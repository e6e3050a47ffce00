import { flatText } from '#base/flat-text.ts'
import { type Chained, hashOf } from '#sip/chains.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { hasCookie, keyOf, mergeKeyOf, oldKey } from '#sip/transaction/keys.ts'
import type { ServerRun } from '#sip/transaction/server.ts'

/** What a server transaction is known by. */
export class ServerName implements Chained<ServerName> {
  readonly callId: string
  readonly method: string
  /** Of a request that a copy may follow over another path: the CSeq number. Null inside dialogs, and where no copy is looked for any more. */
  merge: number | null
  holder: ServerRun | null = null
  next: ServerName | null = null
  /** Used by `ServerTable`: it is found by the whole of it. */
  isInCrowd = false
  #branch: string | null
  readonly #host: string
  readonly #port: number | undefined
  #fromTag: string
  /** Instead of branch and sent-by, without the magic cookie. */
  readonly #old: string | null

  /**
   * `callId`: that of the request, in memory of its own. `merges`: a copy may come over another path. `source`: the address it came from, by
   * which nearly all name themselves.
   */
  constructor(request: SipRequest, callId: string, { merges, source }: { merges: boolean; source: string }) {
    const { via, from, cseq } = request.headers
    const { branch } = via
    this.callId = callId
    this.method = flatText(request.method)
    this.merge = merges ? cseq.seq : null
    this.#branch = hasCookie(branch) ? branch : null
    this.#host = via.host === source ? source : flatText(via.host)
    this.#port = via.port
    this.#fromTag = from.tag ?? ''
    this.#old = this.#branch === null ? flatText(oldKey(request, via, request.method)) : null
  }

  /** As `serverKey` of the request. */
  get key(): string {
    const { callId, method } = this
    return this.#old ?? keyOf({ branch: this.#branch ?? '', host: this.#host, port: this.#port, callId, method })
  }

  /** As `mergeKey` of the request; null where no copy is looked for. */
  get mergeKey(): string | null {
    const { callId, method, merge } = this
    return merge === null ? null : mergeKeyOf({ callId, fromTag: this.#fromTag, seq: merge, method })
  }

  /** As `exactHash` of a request that is the same one. */
  get exactHash(): number {
    return hashOf(this.#branch ?? this.#old ?? '')
  }

  /** Whether a request under this Call-ID is the same one again, or its ACK or CANCEL (RFC 3261 §17.2.3, as `serverKey`). */
  isOf(request: SipRequest, method: string): boolean {
    const { via } = request.headers
    if (this.method !== method) return false
    if (!hasCookie(via.branch)) return this.#old !== null && this.#old === oldKey(request, via, method)
    return this.#branch === via.branch && this.#port === via.port && this.#host === via.host
  }

  /** Whether a request under this Call-ID, which is another transaction, is a copy of this one (RFC 3261 §8.2.2.2, as `mergeKey`). */
  isCopiedBy({ method, headers }: SipRequest): boolean {
    return this.merge === headers.cseq.seq && this.method === method && this.#fromTag === (headers.from.tag ?? '')
  }

  /** It waits for half a minute from now on, and must not hold on to the message. */
  letGo(): void {
    if (this.#branch !== null) this.#branch = flatText(this.#branch)
    this.#fromTag = this.merge === null ? '' : flatText(this.#fromTag)
  }
}

/** To tell most requests apart at a glance: the same for those that have one `serverKey`. */
export function exactHash(request: SipRequest): number {
  const { via } = request.headers
  return hashOf(hasCookie(via.branch) ? via.branch : oldKey(request, via, request.method))
}
