import type { SipRequest } from '#sip/message/message.ts'
import { statelessTag } from '#sip/transport/stateless-tag.ts'

/** So many are waited for at most: who never acknowledges cannot have as many ACKs of others forgiven. */
const MOST = 1_000

/** ACKs for INVITEs that were refused without a transaction: nothing knows of them, and yet they are no offence. */
export class StatelessAcks {
  #due = 0

  /** A request was refused with a `statelessTag`, and nothing is kept of it. */
  refused(method: string): void {
    if (method === 'INVITE' && this.#due < MOST) this.#due++
  }

  /** Whether this ACK is one of those. */
  absorbs({ headers }: SipRequest): boolean {
    if (this.#due === 0 || headers.to.tag !== statelessTag(headers)) return false
    this.#due--
    return true
  }
}
