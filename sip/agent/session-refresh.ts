import type { KeptSession, Unanswered } from '#sip/agent.ts'
import type { Core } from '#sip/agent/core.ts'
import type { DialogSender, Refreshing } from '#sip/agent/dialog-sender.ts'
import { goneBecause } from '#sip/agent/reinvite-client.ts'
import { SessionTimer } from '#sip/agent/session-timer.ts'
import { linesOfAnswer, linesOfRefresh, minSeOf, type SessionTerms, termsOfRequest, termsOfResponse } from '#sip/dialog/session-timer.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

/** What the dialog does for its session timer. */
export interface SessionSurroundings {
  readonly sender: DialogSender
  /** The peer knows UPDATE: a refresh needs no session description then. */
  readonly updates: boolean
  /** Refreshes by re-INVITE; the result comes through `answered` or `refused`. */
  reinvite(): void
  /** Terms are new, or the session lives on: to be kept. */
  agreed(): void
  isOver(): boolean
  /** The peer does not live any more. */
  gone(detail: string): void
}

/** A peer that raises Min-SE on and on is no longer listened to. */
const MOST_EXPIRES_S = 86_400

/** Keeps one dialog from outliving its peer: agrees on terms with it, refreshes by them, ends what is not refreshed (RFC 4028). */
export class SessionRefresh implements Refreshing {
  readonly #core: Core
  readonly #around: SessionSurroundings
  #timer: SessionTimer | null = null
  #updates: boolean
  #min: number

  constructor(core: Core, around: SessionSurroundings) {
    this.#core = core
    this.#around = around
    this.#updates = around.updates
    this.#min = core.sessions.min
  }

  /** `kept`: the terms have been running since an earlier life. */
  begin(terms: SessionTerms, kept?: KeptSession): void {
    this.#around.sender.refreshing = this
    this.#timer = new SessionTimer(this.#core, terms, { refresh: () => this.#refresh(), expired: () => this.#expired() }, kept)
  }

  stop(): void {
    this.#timer?.stop()
    this.#timer = null
    this.#around.sender.refreshing = null
  }

  keep(): KeptSession | null {
    return this.#timer?.keep(this.#updates) ?? null
  }

  // Requests of the peer

  /** The headers of a 422 when the request asks for less than we allow. */
  refusal(request: SipRequest): HeaderLines | null {
    const terms = termsOfRequest(request.headers, this.#core.sessions)
    return terms !== null && 'min' in terms ? [['Min-SE', String(terms.min)]] : null
  }

  /** The session goes on under what the request asks for; the headers of our 2xx. */
  accept(request: SipRequest): HeaderLines {
    const terms = termsOfRequest(request.headers, this.#core.sessions)
    if (terms === null || 'min' in terms) {
      this.stop()
      return []
    }
    this.#agree(terms)
    return linesOfAnswer(terms)
  }

  // Requests of ours

  lines(): HeaderLines {
    return this.#timer === null ? [] : linesOfRefresh(this.#timer.terms, this.#min)
  }

  revise(refusal: SipResponse): boolean {
    const min = minSeOf(refusal.headers)
    const timer = this.#timer
    if (timer === null || min <= timer.terms.expires || min > MOST_EXPIRES_S) return false
    this.#min = min
    timer.agree({ ...timer.terms, expires: min })
    return true
  }

  /** A 2xx to a re-INVITE or UPDATE of ours. */
  answered(response: SipResponse): void {
    if (this.#timer === null) return
    const terms = termsOfResponse(response.headers)
    if (terms === null) this.stop()
    else this.#agree(terms)
  }

  /** A refresh of ours had another result. */
  refused(result: SipResponse | Unanswered): void {
    if (this.#around.isOver()) return
    if (goneBecause(result) !== null) this.#expired()
    else this.#timer?.failed()
  }

  #agree(terms: SessionTerms): void {
    if (this.#timer === null) this.begin(terms)
    else this.#timer.agree(terms)
    this.#around.agreed()
  }

  #refresh(): void {
    if (!this.#updates) {
      this.#around.reinvite()
      return
    }
    this.#around.sender.send(
      'UPDATE',
      {},
      {
        onResponse: (response) => {
          if (response.status < 200 || this.#around.isOver()) return
          if (response.status < 300) this.answered(response)
          else if (response.status === 405 || response.status === 501) {
            this.#updates = false
            this.#around.reinvite()
          } else this.refused(response)
        },
        onFailed: (failure) => this.refused(failure),
      },
    )
    this.#around.agreed()
  }

  #expired(): void {
    this.stop()
    this.#around.gone('session expired: the peer is gone')
  }
}
