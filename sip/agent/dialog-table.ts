import type { Flow } from '#sip/agent.ts'
import { dialogKey } from '#sip/dialog/dialog.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** Who serves the requests that come within one dialog. */
export interface DialogUser {
  /** Any request but ACK. */
  receive(transaction: ServerTransaction): void
  /** An ACK for a 2xx of ours. */
  receiveAck(ack: SipRequest, flow: Flow): void
  /** A 2xx to an INVITE of ours came again, long after its transaction. */
  acknowledgeAgain(seq: number): void
  /** The agent closes. */
  close(): void
}

/** The dialogs of an agent by their identity (RFC 3261 §12). */
export class DialogTable {
  readonly #users = new Map<string, DialogUser>()

  get size(): number {
    return this.#users.size
  }

  add(key: string, user: DialogUser): void {
    this.#users.set(key, user)
  }

  get(key: string): DialogUser | undefined {
    return this.#users.get(key)
  }

  /** Takes `user` out, unless another one has taken its place. */
  remove(key: string, user: DialogUser): void {
    if (this.#users.get(key) === user) this.#users.delete(key)
  }

  /** The dialog of a request that came: our tag stands in To. */
  ofRequest(headers: SipHeaders): DialogUser | undefined {
    return this.#users.get(dialogKey(headers.callId, headers.to.tag ?? '', headers.from.tag ?? ''))
  }

  /** The dialog of a response that came: our tag stands in From. */
  ofResponse(headers: SipHeaders): DialogUser | undefined {
    return this.#users.get(dialogKey(headers.callId, headers.from.tag ?? '', headers.to.tag ?? ''))
  }

  close(): void {
    for (const user of [...this.#users.values()]) user.close()
    this.#users.clear()
  }
}
