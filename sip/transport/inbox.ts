import { noMeter, type WorkMeter } from '#base/work-meter.ts'
import type { Flow } from '#sip/agent.ts'
import { answerMalformed, type Malformed } from '#sip/message/malformed.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { serialize } from '#sip/message/serialize.ts'
import { stampedVia } from '#sip/message/via.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import { statelessTag } from '#sip/transport/stateless-tag.ts'
import { countRefused, type TransportCounts, type TransportReceiver } from '#sip/transport/transport.ts'

/** Where bytes become messages, whatever brought them: parsed, stamped with their source and handed up, or refused by name. */
export class Inbox {
  readonly counts: TransportCounts
  readonly watch: SourceWatch | null
  readonly #receiver: TransportReceiver
  readonly #meter: WorkMeter

  /** `watch`: who is listened to; null: everybody. */
  constructor(counts: TransportCounts, receiver: TransportReceiver, watch: SourceWatch | null = null, meter: WorkMeter = noMeter) {
    this.counts = counts
    this.watch = watch
    this.#meter = meter
    this.#receiver = receiver
  }

  /** Takes one message. `answer` sends a refusal back to where it came from. False when its source is not listened to. */
  take(bytes: Uint8Array, flow: Flow, answer: (bytes: Uint8Array) => void): boolean {
    this.begins(flow)
    this.counts.received++
    if (this.watch !== null && !this.watch.hears(flow.remote, bytes)) {
      countRefused(this.counts, 'banned')
      return false
    }
    const message = parseMessage(bytes)
    if (message.kind === 'malformed') this.refuse(message, flow, answer)
    else if (message.kind === 'response') this.#receiver.onResponse(message, flow, bytes)
    else {
      stampSource(message, flow)
      this.#receiver.onRequest(message, flow, bytes)
    }
    return true
  }

  /** Work for whoever is at the other end begins: bytes came. */
  begins({ transport, remote }: Flow): void {
    this.#meter.begins(transport, remote.address)
  }

  /** Work for a peer who connects or leaves begins. */
  connects(address: string): void {
    this.#meter.begins('connection', address)
  }

  /** Counts a message that cannot be understood and answers it, if it is a request that can be answered. */
  refuse(malformed: Malformed, flow: Flow, answer: (bytes: Uint8Array) => void): void {
    countRefused(this.counts, malformed.rule)
    this.watch?.offends(flow.remote, 'garbage')
    const response = answerMalformed(malformed, statelessTag(malformed.headers))
    if (response !== null) answer(serialize(response))
  }

  failed(flow: Flow, why: string): void {
    this.counts.flowsFailed++
    this.#receiver.onFlowFailed(flow, why)
  }
}

/** RFC 3261 §18.2.1, RFC 3581 §4: the top Via says where the request really came from. */
function stampSource({ headers }: SipRequest, { remote }: Flow): void {
  const { via } = headers
  if (via.rport === undefined && via.received === undefined && via.host === remote.address) return
  const line = headers.lines('Via')[0] ?? ''
  headers.replaceFirst('Via', stampedVia(line, via, { address: withoutZone(remote.address), port: remote.port }))
}

/** A link-local address without the name of our interface, which means nothing to the peer. */
function withoutZone(address: string): string {
  const percent = address.indexOf('%')
  return percent < 0 ? address : address.slice(0, percent)
}
