import { bodyOf } from '#calls/leg-dialog.ts'
import type { LegMedia } from '#calls/leg-media.ts'
import type { Body } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'

/**
 * What is heard of a call before its answer, where more than one phone may send (RFC 3960 §3): the latest that began to, until that fork
 * ends (RFC 6228) or another answers.
 */
export class EarlyMedia {
  readonly #media: LegMedia
  /** Who has sent a session description, by tag, oldest first; null: nobody, as in most calls. */
  #answers: Map<string, Body> | null = null
  #heard: string | null = null

  constructor(media: LegMedia) {
    this.#media = media
  }

  /** Somebody is heard, or will be as soon as they send. */
  get isHeard(): boolean {
    return this.#heard !== null
  }

  /** A provisional response of a fork. */
  progressed(response: SipResponse, tag: string): void {
    if (response.status === 199) {
      this.#ended(tag)
      return
    }
    const body = bodyOf(response)
    if (body === null || this.#media.accept(body) !== 'ok') return
    this.#answers ??= new Map()
    this.#answers.delete(tag)
    this.#answers.set(tag, body)
    this.#heard = tag
  }

  /** The answer: its own session description, or what its fork has said before (RFC 3261 §13.2.1). */
  answered(response: SipResponse): 'ok' | { why: string } {
    const tag = response.headers.toOrNull?.tag ?? ''
    const before = this.#answers?.get(tag)
    const body = bodyOf(response) ?? (this.#heard === tag ? null : before)
    if (body === undefined) return { why: 'the answer has no SDP' }
    // A re-used answer would only undo what an UPDATE has changed since.
    return body === null ? 'ok' : this.#media.accept(body)
  }

  #ended(tag: string): void {
    this.#answers?.delete(tag)
    if (this.#heard !== tag) return
    const [other, body] = [...(this.#answers ?? [])].at(-1) ?? []
    this.#heard = other !== undefined && body !== undefined && this.#media.accept(body) === 'ok' ? other : null
  }
}
