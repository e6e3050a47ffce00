import { flatText } from '#base/flat-text.ts'
import { type Chained, hashOf } from '#sip/chains.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { hasCookie, oldKey } from '#sip/transaction/keys.ts'
import type { ServerRun } from '#sip/transaction/server.ts'

interface Parts {
  readonly callId: string
  readonly method: string
  readonly branch: string | null
  readonly host: string
  readonly port: number | undefined
  readonly fromTag: string
  readonly old: string | null
  readonly merge: number | null
}

/** What a server transaction is known by. */
export class ServerName implements Chained<ServerName> {
  readonly callId: string
  readonly method: string
  /** Of a request that a copy may follow over another path: the CSeq number. Null inside dialogs, and where no copy is looked for any more. */
  merge: number | null
  /** Null when it is only read. */
  holder: ServerRun | null = null
  next: ServerName | null = null
  /** Used by `ServerTable`: the whole of it, where it stands in the crowd. */
  crowd: { readonly key: string; readonly merge: string | null } | null = null
  #branch: string | null
  readonly #host: string
  readonly #port: number | undefined
  #fromTag: string
  /** Instead of branch and sent-by, without the magic cookie. */
  readonly #old: string | null

  private constructor({ callId, method, branch, host, port, fromTag, old, merge }: Parts) {
    this.callId = callId
    this.method = method
    this.merge = merge
    this.#branch = branch
    this.#host = host
    this.#port = port
    this.#fromTag = fromTag
    this.#old = old
  }

  /**
   * That of a request. `callId`: the request's, in memory of its own. `merges`: a copy may come over another path. `source`: the address it came
   * from, by which nearly all name themselves.
   */
  static of(request: SipRequest, callId: string, { merges, source }: { merges: boolean; source: string }): ServerName {
    const { via, from, cseq } = request.headers
    const { branch, host, port } = via
    return new ServerName({
      callId,
      method: flatText(request.method),
      branch: hasCookie(branch) ? branch : null,
      host: host === source ? source : flatText(host),
      port,
      fromTag: from.tag ?? '',
      old: hasCookie(branch) ? null : flatText(oldKey(request, via, request.method)),
      merge: merges ? cseq.seq : null,
    })
  }

  /** That which `text` was made of. */
  static read(callId: string, text: string): ServerName {
    const [method = '', branch = '', host = '', port = '', fromTag = '', old = '', merge = ''] = text.split('\n')
    return new ServerName({
      ...{ callId, method, host, fromTag },
      branch: branch === '' ? null : branch,
      port: port === '' ? undefined : Number(port),
      old: old === '' ? null : old,
      merge: merge === '' ? null : Number(merge),
    })
  }

  /** All of it but the Call-ID, to be kept as bytes. Nothing in it holds a line break. */
  get text(): string {
    const beginning = `${this.method}\n${this.#branch ?? ''}\n${this.#host}\n${this.#port ?? ''}\n`
    return `${beginning}${this.#fromTag}\n${this.#old ?? ''}\n${this.merge ?? ''}`
  }

  /** As `exactHash` of a request that is the same one. */
  get exactHash(): number {
    return hashOf(this.#branch ?? this.#old ?? '')
  }

  /** Whether a request is the same one again, or its ACK or CANCEL (RFC 3261 §17.2.3, as `serverKey`). */
  isOf(request: SipRequest, method: string): boolean {
    const { via, callId } = request.headers
    if (this.method !== method || this.callId !== callId) return false
    if (!hasCookie(via.branch)) return this.#old !== null && this.#old === oldKey(request, via, method)
    return this.#branch === via.branch && this.#port === via.port && this.#host === via.host
  }

  /** Whether a request, which is another transaction, is a copy of this one (RFC 3261 §8.2.2.2, as `mergeKey`). */
  isCopiedBy({ method, headers }: SipRequest): boolean {
    const isSame = this.merge === headers.cseq.seq && this.method === method && this.callId === headers.callId
    return isSame && this.#fromTag === (headers.from.tag ?? '')
  }

  /** It waits for half a minute from now on, and must not hold on to the message. */
  letGo(): void {
    if (this.#branch !== null) this.#branch = flatText(this.#branch)
    this.#fromTag = this.merge === null ? '' : flatText(this.#fromTag)
  }
}

/** The same for all requests of one name, and nearly always another for others of their Call-ID. */
export function exactHash(request: SipRequest): number {
  const { via } = request.headers
  return hashOf(hasCookie(via.branch) ? via.branch : oldKey(request, via, request.method))
}
