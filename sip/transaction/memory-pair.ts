import { countingRandom, type Random } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow } from '#sip/agent.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { SipTrace } from '#sip/trace.ts'
import {
  type ClientEvents,
  type ServerTransaction,
  TransactionLayer,
  type TransactionOptions,
  type TransactionUser,
} from '#sip/transaction/layer.ts'
import { MemoryNetwork, type MemoryTransport, type Weather } from '#sip/transport/memory-transport.ts'
import { isFlow } from '#sip/transport/transport.ts'

// Two layers that speak with each other, for tests.

/** One side: a layer on a memory transport, noting what it hands up. */
export class Side implements TransactionUser {
  readonly transport: MemoryTransport
  readonly wheel: TimerWheel
  readonly layer: TransactionLayer
  readonly trace: SipTrace
  readonly seen: string[] = []
  /** What the other side did that led to nothing. */
  readonly offences: string[] = []
  /** Addresses at which phones are known. */
  readonly trusted = new Set<string>()
  /** What to do with a request. */
  answer: (transaction: ServerTransaction) => void = () => undefined

  constructor(network: MemoryNetwork, address: string, options: Partial<TransactionOptions> = {}) {
    this.transport = network.host(address)
    this.wheel = new TimerWheel(network.clock)
    this.trace = new SipTrace(network.clock)
    this.layer = new TransactionLayer({
      transport: this.transport,
      user: this,
      wheel: this.wheel,
      random: network.random,
      log: silentLog,
      trace: this.trace,
      watch: { offends: (_from, what) => void this.offences.push(what), trusts: ({ address }) => this.trusted.has(address) },
      options,
    })
    void this.transport.start(this.layer)
  }

  onRequest(transaction: ServerTransaction): void {
    this.seen.push(transaction.request.method)
    transaction.events = {
      onCancelled: () => {
        this.seen.push('cancelled')
        transaction.respond(buildResponse(transaction.request, 487, undefined, { toTag: 'callee' }))
      },
      onFailed: (why) => this.seen.push(`undelivered: ${why}`),
    }
    this.answer(transaction)
  }
  onAck(): void {
    this.seen.push('ACK')
  }
  onStrayResponse(response: SipResponse): void {
    this.seen.push(`stray ${response.status}`)
  }
  onFlowFailed(_flow: Flow, why: string): void {
    this.seen.push(`flow failed: ${why}`)
  }

  flowTo(address: string, transport: 'udp' | 'tcp' = 'udp'): Flow {
    const flow = this.transport.open({ transport, address, port: 5060 })
    if (!isFlow(flow)) throw new Error(flow.detail)
    return flow
  }

  /** What happens to a request that this side sends. */
  readonly events: ClientEvents = {
    onResponse: (response) => this.seen.push(String(response.status)),
    onFailed: (why) => this.seen.push(`failed: ${why}`),
  }
}

export const CALLER = '192.0.2.1'
export const CALLEE = '192.0.2.2'

export function pair(weather: Partial<Weather> = {}, options: Partial<TransactionOptions> = {}, random: Random = countingRandom()) {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(clock, random, weather)
  const caller = new Side(network, CALLER)
  const callee = new Side(network, CALLEE, options)
  const assertClean = (): void => {
    clock.advance(100_000)
    const left = [caller, callee].flatMap(({ layer, wheel }) => [layer.counts.clients, layer.counts.servers, wheel.size])
    if (clock.pending > 0 || left.some((count) => count > 0)) throw new Error(`left: ${left.join(' ')}, ${clock.pending} pending`)
  }
  return { clock, network, caller, callee, assertClean }
}

export function request(method: string, callId = 'a-call', more: { toTag?: string; via?: string; cseq?: number } = {}): SipRequest {
  return buildRequest({
    method,
    uri: `sip:100@${CALLEE}`,
    headers: [
      ...(more.via === undefined ? [] : [['Via', more.via] as const]),
      ['Max-Forwards', '70'],
      ['From', '<sip:caller@example.org>;tag=caller'],
      ['To', `<sip:100@example.org>${more.toTag === undefined ? '' : `;tag=${more.toTag}`}`],
      ['Call-ID', callId],
      ['CSeq', `${more.cseq ?? 1} ${method}`],
    ],
  })
}

export const respondWith =
  (...statuses: number[]) =>
  (transaction: ServerTransaction): void => {
    for (const status of statuses) transaction.respond(buildResponse(transaction.request, status, undefined, { toTag: 'callee' }))
  }
