import { Chains } from '#sip/chains.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { mergeKey, serverKey } from '#sip/transaction/keys.ts'
import type { ServerRun } from '#sip/transaction/server.ts'
import type { ServerName } from '#sip/transaction/server-name.ts'

/** So many transactions of one Call-ID are looked at one after the other. */
const FEW = 8

/**
 * The server transactions of a layer that run, found by their Call-ID, which the trace of each message looks up, too. Nearly always it is that of
 * a few: how many there are the peers decide, so that all beyond a few are found by their whole name.
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
  find(request: SipRequest, method: string): ServerRun | null {
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

  add(name: ServerName): void {
    if (this.#calls.isShorter(name.callId, FEW)) {
      this.#calls.add(name.callId, name)
      return
    }
    name.isInCrowd = true
    this.#crowd.set(name.key, name)
    const { mergeKey: merge } = name
    if (merge !== null) this.#crowdMerges.add(merge)
  }

  /** From now on no copy of it is looked for. */
  unmerge(name: ServerName): void {
    const merge = name.isInCrowd ? name.mergeKey : null
    if (merge !== null) this.#crowdMerges.delete(merge)
    name.merge = null
  }

  delete(name: ServerName): void {
    this.unmerge(name)
    if (!name.isInCrowd) this.#calls.delete(name.callId, name)
    else if (this.#crowd.get(name.key) === name) this.#crowd.delete(name.key)
  }

  /** All that are there now. */
  all(): ServerRun[] {
    const names = [...this.#crowd.values(), ...this.#calls.all()]
    return names.flatMap(({ holder }) => holder ?? [])
  }
}
