import type { Body, Credentials, Flow } from '#sip/agent.ts'
import { ALLOW, isTargetRefresh, SUPPORTED } from '#sip/agent/abilities.ts'
import { type Core, contactFor } from '#sip/agent/core.ts'
import { Exchange, type ExchangeEvents } from '#sip/agent/exchange.ts'
import { dialogPath, homePath, type Path, recoveredPath } from '#sip/agent/path.ts'
import { type Dialog, GONE } from '#sip/dialog/dialog.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { isFlow } from '#sip/transport/transport.ts'

/** What a request carries beyond what the dialog determines. */
interface Parts {
  readonly headers?: HeaderLines
  readonly body?: Body | undefined
}

/** What the session timer of a dialog puts into requests that refresh it, and makes of a 422 (RFC 4028 §7.4). */
export interface Refreshing {
  lines(): HeaderLines
  revise(refusal: SipResponse): boolean
}

/** Sends the requests of one dialog (RFC 3261 §12.2.1) and finds the way again when the network changes under it. */
export class DialogSender {
  readonly #core: Core
  readonly #dialog: Dialog
  readonly #credentials: Credentials | undefined
  /** Set by a dialog with a session timer. */
  refreshing: Refreshing | null = null

  constructor(core: Core, dialog: Dialog, credentials: Credentials | undefined) {
    this.#core = core
    this.#dialog = dialog
    this.#credentials = credentials
  }

  /** Starts a request; each attempt takes the next CSeq. */
  send(method: string, parts: Parts, events: ExchangeEvents): Exchange {
    const exchange = new Exchange(
      this.#core,
      {
        build: (flow) => this.#build(method, this.#dialog.takeSequence(), flow, parts),
        path: (way) => this.#path(way),
        credentials: this.#credentials,
        revise: (refusal) => this.refreshing?.revise(refusal) ?? false,
      },
      events,
    )
    exchange.start()
    return exchange
  }

  /** ACKs the 2xx to the INVITE numbered `seq`. `authorization`: what that INVITE showed (RFC 3261 §22.1). `sent` gets what repeats it. */
  acknowledge(seq: number, body: Body | undefined, authorization: HeaderLines, sent: (again: () => void) => void): void {
    const send = (path: Path): void => {
      if (isFlow(path)) sent(this.#core.transactions.acknowledge(this.#build('ACK', seq, path, { headers: authorization, body }), path))
    }
    const path = dialogPath(this.#core, this.#dialog)
    if (path instanceof Promise) void path.then(send)
    else send(path)
  }

  #build(method: string, seq: number, flow: Flow, { headers, body }: Parts): SipRequest {
    const dialog = this.#dialog
    const { uri, routes } = dialog.routed
    const lines: (readonly [string, string])[] = []
    for (const route of routes) lines.push(['Route', route])
    lines.push(
      ['Max-Forwards', '70'],
      ['From', withTag(dialog.localUri, dialog.localTag)],
      ['To', withTag(dialog.remoteUri, dialog.remoteTag)],
      ['Call-ID', dialog.callId],
      ['CSeq', `${seq} ${method}`],
    )
    if (isTargetRefresh(method)) lines.push(['Contact', contactFor(this.#core, flow, undefined, this.#dialog.secure)])
    if (method === 'INVITE' || method === 'UPDATE') {
      lines.push(['Allow', ALLOW], ['Supported', SUPPORTED])
      if (this.refreshing !== null) lines.push(...this.refreshing.lines())
    }
    lines.push(['User-Agent', this.#core.product])
    if (headers !== undefined) for (const line of headers) lines.push(line)
    if (body !== undefined) lines.push(['Content-Type', body.contentType])
    return buildRequest({ method, uri, headers: lines, body: body?.bytes })
  }

  #path(way: number): Path | Promise<Path> | null {
    const core = this.#core
    const dialog = this.#dialog
    if (way === 0) return dialogPath(core, dialog)
    const { flow } = dialog
    if (flow.connection === null) return way === 1 ? core.reflow(dialog.keep()) : null
    if (way === 1) {
      dialog.moveTo({ ...flow, connection: GONE })
      return recoveredPath(core, dialog)
    }
    return way === 2 ? homePath(core, dialog) : null
  }
}

function withTag(address: string, tag: string): string {
  return tag === '' ? address : `${address};tag=${tag}`
}
