import { flatText } from '#base/flat-text.ts'
import { type Chained, Chains } from '#sip/chains.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { Answered } from '#sip/transaction/answered.ts'
import { hasCookie, mergeKey, oldKey, serverKey } from '#sip/transaction/keys.ts'
import type { ServerRun } from '#sip/transaction/server.ts'

/** What a server transaction is known by, and what there is of it. */
export class ServerName implements Chained<ServerName> {
  readonly callId: string
  readonly method: string
  /** Of a request that a copy may follow over another path: the CSeq number. Null inside dialogs, and where no copy is looked for any more. */
  merge: number | null
  holder: ServerRun | Answered | null = null
  next: ServerName | null = null
  /** Used by `ServerTable`: the whole of it, where it stands in the crowd. */
  crowd: { readonly key: string; readonly merge: string | null } | null = null
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

/** So many transactions of one Call-ID are looked at one after the other. */
const FEW = 8

/**
 * The server transactions of a layer, found by their Call-ID, which the trace of each message looks up, too. Nearly always it is that of a few: how
 * many there are the peers decide, so that all beyond a few are found by their whole name.
 */
export class ServerTable {
  readonly #calls = new Chains<ServerName, string>()
  readonly #crowd = new Map<string, ServerName>()
  /** What copies of those in the crowd have in common with them. */
  readonly #crowdMerges = new Set<string>()

  get size(): number {
    return this.#calls.size + this.#crowd.size
  }

  /** That of a request which came. `method`: of the transaction that it is looked up for, an INVITE's for its ACK and CANCEL. */
  find(request: SipRequest, method: string): ServerRun | Answered | null {
    let name = this.#calls.first(request.headers.callId)
    while (name !== null && !name.isOf(request, method)) name = name.next
    if (name === null && this.#crowd.size > 0) name = this.#crowd.get(serverKey(request, method)) ?? null
    return name === null ? null : name.holder
  }

  /** Whether a copy of the request, over another path, has a transaction. */
  hasCopyOf(request: SipRequest): boolean {
    let name = this.#calls.first(request.headers.callId)
    while (name !== null && !name.isCopiedBy(request)) name = name.next
    return name !== null || (this.#crowdMerges.size > 0 && this.#crowdMerges.has(mergeKey(request)))
  }

  /** `request`: that which `name` was made of. */
  add(name: ServerName, request: SipRequest): void {
    if (this.#calls.isShorter(name.callId, FEW)) {
      this.#calls.add(name.callId, name)
      return
    }
    const merge = name.merge === null ? null : mergeKey(request)
    name.crowd = { key: serverKey(request), merge }
    this.#crowd.set(name.crowd.key, name)
    if (merge !== null) this.#crowdMerges.add(merge)
  }

  /** From now on no copy of it is looked for. */
  unmerge(name: ServerName): void {
    const merge = name.merge === null ? undefined : name.crowd?.merge
    if (merge !== undefined && merge !== null) this.#crowdMerges.delete(merge)
    name.merge = null
  }

  delete(name: ServerName): void {
    this.unmerge(name)
    if (name.crowd === null) this.#calls.delete(name.callId, name)
    else if (this.#crowd.get(name.crowd.key) === name) this.#crowd.delete(name.crowd.key)
  }

  /** All that are there now. */
  all(): (ServerRun | Answered)[] {
    const names = [...this.#crowd.values(), ...this.#calls.all()]
    return names.flatMap(({ holder }) => holder ?? [])
  }
}
