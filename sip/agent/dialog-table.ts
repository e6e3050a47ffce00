import { type Chained, Chains, hashOf } from '#sip/chains.ts'
import type { Flow } from '#sip/agent.ts'
import type { Dialog } from '#sip/dialog/dialog.ts'
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

/** What a dialog is known by. */
type Identity = Pick<Dialog, 'callId' | 'localTag' | 'remoteTag'>

class Entry implements Chained<Entry> {
  next: Entry | null = null
  dialog: Identity
  user: DialogUser

  constructor(dialog: Identity, user: DialogUser) {
    this.dialog = dialog
    this.user = user
  }
}

/** So many dialogs with one local tag are looked at one after the other. */
const FEW = 8

/**
 * The dialogs of an agent by their identity (RFC 3261 §12); found by the local tag, which is random. Nearly always it is that of one dialog or
 * of a few forks: how many forks there are the peers decide, and of strays even the tag, so that all beyond a few are found by their whole name.
 */
export class DialogTable {
  #entries = new Chains<Entry>()
  readonly #crowd = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size + this.#crowd.size
  }

  /** `user` serves the requests of the dialog from now on, in the place of whoever did. */
  add(dialog: Identity, user: DialogUser): void {
    const { callId, localTag, remoteTag } = dialog
    const known = this.#find(callId, localTag, remoteTag)
    if (known !== null) {
      known.dialog = dialog
      known.user = user
    } else if (this.#entries.isShorter(hashOf(localTag), FEW)) this.#entries.add(hashOf(localTag), new Entry(dialog, user))
    else this.#crowd.set(nameOf(callId, localTag, remoteTag), new Entry(dialog, user))
  }

  get({ callId, localTag, remoteTag }: Identity): DialogUser | undefined {
    return this.#find(callId, localTag, remoteTag)?.user
  }

  /** Takes `user` out, unless another one has taken its place. */
  remove({ callId, localTag, remoteTag }: Identity, user: DialogUser): void {
    const known = this.#find(callId, localTag, remoteTag)
    if (known?.user !== user) return
    if (!this.#entries.delete(hashOf(localTag), known)) this.#crowd.delete(nameOf(callId, localTag, remoteTag))
  }

  /** The dialog of a request that came: our tag stands in To. */
  ofRequest(headers: SipHeaders): DialogUser | undefined {
    return this.#find(headers.callId, headers.to.tag ?? '', headers.from.tag ?? '')?.user
  }

  /** The dialog of a response that came: our tag stands in From. */
  ofResponse(headers: SipHeaders): DialogUser | undefined {
    return this.#find(headers.callId, headers.from.tag ?? '', headers.to.tag ?? '')?.user
  }

  close(): void {
    for (const { user } of [...this.#entries.all(), ...this.#crowd.values()]) user.close()
    this.#entries = new Chains()
    this.#crowd.clear()
  }

  #find(callId: string, localTag: string, remoteTag: string): Entry | null {
    let entry = this.#entries.first(hashOf(localTag))
    while (entry !== null && !isOf(entry.dialog, callId, localTag, remoteTag)) entry = entry.next
    if (entry === null && this.#crowd.size > 0) return this.#crowd.get(nameOf(callId, localTag, remoteTag)) ?? null
    return entry
  }
}

function nameOf(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}\n${localTag}\n${remoteTag}`
}

function isOf(dialog: Identity, callId: string, localTag: string, remoteTag: string): boolean {
  return dialog.localTag === localTag && dialog.remoteTag === remoteTag && dialog.callId === callId
}
