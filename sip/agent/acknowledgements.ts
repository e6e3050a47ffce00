import type { Body } from '#sip/agent.ts'
import type { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { HeaderLines } from '#sip/message/headers.ts'

/** The ACKs that we sent for 2xx in one dialog; each 2xx that comes again gets its ACK again (RFC 3261 §13.2.2.4). */
export class Acknowledgements {
  readonly #sender: DialogSender
  #last: { seq: number; again: (() => void) | null } | null = null

  constructor(sender: DialogSender) {
    this.#sender = sender
  }

  /** Whether the 2xx to INVITE `seq` has its ACK. */
  has(seq: number): boolean {
    return this.#last !== null && this.#last.seq >= seq
  }

  /** Sends the ACK for the 2xx to INVITE `seq`, once. */
  send(seq: number, body: Body | undefined, authorization: HeaderLines): void {
    if (this.has(seq)) return
    const sent: { seq: number; again: (() => void) | null } = { seq, again: null }
    this.#last = sent
    this.#sender.acknowledge(seq, body, authorization, (again) => {
      sent.again = again
    })
  }

  /** The 2xx to INVITE `seq` came again. */
  again(seq: number): void {
    if (this.#last?.seq === seq) this.#last.again?.()
  }
}
