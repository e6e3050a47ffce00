import type { Body, Flow, IncomingRequest } from '#sip/agent.ts'
import { isTargetRefresh } from '#sip/agent/abilities.ts'
import { answer, type Core, contactFor } from '#sip/agent/core.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** A request whose answer is the owner's business. */
export class IncomingRequestRun implements IncomingRequest {
  readonly request: SipRequest
  readonly flow: Flow
  readonly #core: Core
  readonly #transaction: ServerTransaction
  readonly #toTag: string | undefined

  /** `toTag`: ours in the dialog. */
  constructor(core: Core, transaction: ServerTransaction, toTag?: string) {
    this.request = transaction.request
    this.flow = transaction.flow
    this.#core = core
    this.#transaction = transaction
    this.#toTag = toTag
  }

  respond(status: number, reason?: string, headers: HeaderLines = [], body?: Body): void {
    const refreshes = status >= 200 && status < 300 && isTargetRefresh(this.request.method)
    const lines = refreshes ? [['Contact', contactFor(this.#core, this.flow)] as const, ...headers] : headers
    answer(this.#core, this.#transaction, status, {
      reason,
      headers: lines,
      body,
      ...(this.#toTag !== undefined && { toTag: this.#toTag }),
    })
  }
}
