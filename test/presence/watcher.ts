import { header, type WireMessage } from '#test/support/wire.ts'
import type { WirePhone } from '#test/support/wire-phone.ts'

/** A subscription of a phone written out by hand: its NOTIFYs in order, answered with 200. */
export class Watcher implements Disposable {
  readonly #phone: WirePhone
  readonly #event: string
  readonly #accepted: WireMessage
  readonly #before: (request: WireMessage) => boolean
  /** Versions of the documents read, where they have one. */
  readonly versions: number[] = []

  private constructor(phone: WirePhone, event: string, accepted: WireMessage, before: (request: WireMessage) => boolean) {
    this.#phone = phone
    this.#event = event
    this.#accepted = accepted
    this.#before = before
  }

  static async subscribe(phone: WirePhone, event: string, name: string, expires = 600): Promise<Watcher> {
    const before = phone.wire.onRequest
    // The phone's own habit of answering NOTIFY would take them away.
    phone.wire.onRequest = (request) => request.method !== 'NOTIFY' && before.call(phone.wire, request)
    const accepted = await phone.request('SUBSCRIBE', `sip:${name}@${phone.account.domain}`, {
      headers: [`Event: ${event}`, `Expires: ${expires}`, `Contact: ${phone.contact}`],
    })
    if (accepted.status !== 200) throw new Error(`SUBSCRIBE ${event} ${name}: ${accepted.first}`)
    return new Watcher(phone, event, accepted, before)
  }

  /** The next NOTIFY. */
  async notify(): Promise<WireMessage> {
    const callId = header(this.#accepted, 'call-id')
    const request = await this.#phone.wire.next(
      `NOTIFY ${this.#event}`,
      (message) => message.method === 'NOTIFY' && header(message, 'call-id') === callId,
    )
    this.#phone.wire.answer(request, '200 OK')
    const version = /version="(\d+)"/.exec(request.body)?.[1]
    if (version !== undefined) this.versions.push(Number(version))
    return request
  }

  /** The next NOTIFY whose body matches. */
  async until(pattern: RegExp): Promise<WireMessage> {
    for (;;) {
      const request = await this.notify()
      if (pattern.test(request.body)) return request
    }
  }

  /** SUBSCRIBE within the dialog; 0 ends it. The final answer. */
  async refresh(expires: number): Promise<WireMessage> {
    const accepted = this.#accepted
    const target = /<([^>]+)>/.exec(header(accepted, 'contact'))?.[1] ?? ''
    const callId = header(accepted, 'call-id')
    const seq = this.#phone.sendRequest('SUBSCRIBE', target, [
      `From: ${header(accepted, 'from')}`,
      `To: ${header(accepted, 'to')}`,
      `Call-ID: ${callId}`,
      `Event: ${this.#event}`,
      `Expires: ${expires}`,
      `Contact: ${this.#phone.contact}`,
    ])
    return this.#phone.wire.next(
      'answer to SUBSCRIBE',
      (m) => m.status >= 200 && header(m, 'cseq') === `${seq} SUBSCRIBE` && header(m, 'call-id') === callId,
    )
  }

  [Symbol.dispose](): void {
    this.#phone.wire.onRequest = this.#before
  }
}
