import type { Body } from '#sip/agent.ts'
import type { DialogSender } from '#sip/agent/dialog-sender.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { StatelessRequest } from '#sip/transaction/layer.ts'

/** The ACKs that we sent for 2xx in one dialog; each 2xx that comes again gets its ACK again (RFC 3261 §13.2.2.4). */
export class Acknowledgements {
  readonly #sender: DialogSender
  #last: { seq: number; ack: StatelessRequest | null } | null = null

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
    const sent: { seq: number; ack: StatelessRequest | null } = { seq, ack: null }
    this.#last = sent
    this.#sender.acknowledge(seq, body, authorization, (ack) => {
      sent.ack = ack
    })
  }

  /** The 2xx to INVITE `seq` came again. */
  again(seq: number): void {
    if (this.#last?.seq === seq) this.#last.ack?.resend()
  }
}

/** The credentials lines of a request. */
export function authorizationOf(request: SipRequest | null): HeaderLines {
  if (request === null) return []
  return ['Authorization', 'Proxy-Authorization'].flatMap((name) => request.headers.lines(name).map((value) => [name, value] as const))
}
