import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'
import { isWildcard } from '#sip/transport/addresses.ts'
import { LITERAL } from '#sip/transport/datagrams.ts'

/** How long an ICMP answer may take. */
const PATIENCE_MS: Millis = 1_000
const MAX_PROBES = 16
const PING = Buffer.from('\r\n\r\n')

/**
 * Finds out whether a silent UDP peer's port is closed. The system tells ICMP errors only to a connected socket, which the one we serve
 * everybody from cannot be; so a short-lived connected one sends the peer a keep-alive (RFC 5626 §3.5.1) from another port. An error says
 * that nobody listens there; silence says nothing.
 */
export class UdpProbe {
  readonly #wheel: TimerWheel
  readonly #onUnreachable: (flow: Flow, why: string) => void
  readonly #running = new Map<string, () => void>()

  constructor(wheel: TimerWheel, onUnreachable: (flow: Flow, why: string) => void) {
    this.#wheel = wheel
    this.#onUnreachable = onUnreachable
  }

  /** At most one per peer at a time, and few in all: what is asked beyond is left to the transaction's own timers. */
  probe(flow: Flow): void {
    const { address, port } = flow.remote
    const key = `${address} ${port}`
    if (this.#running.has(key) || this.#running.size >= MAX_PROBES) return
    const type = isIPv6(address) ? 'udp6' : 'udp4'
    const socket = createSocket({ type, lookup: LITERAL[type] })
    const stop = (): void => {
      timer.stop()
      if (this.#running.delete(key)) socket.close()
    }
    const timer = this.#wheel.after(PATIENCE_MS, stop)
    this.#running.set(key, stop)
    socket.on('error', (error: NodeJS.ErrnoException) => {
      stop()
      if (error.code === 'ECONNREFUSED' || error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH')
        this.#onUnreachable(flow, error.code)
    })
    socket.on('message', stop)
    const connect = (): void => socket.connect(port, address, () => socket.send(PING))
    if (isWildcard(flow.local.address)) connect()
    else socket.bind({ address: flow.local.address, port: 0, exclusive: true }, connect)
  }

  close(): void {
    for (const stop of [...this.#running.values()]) stop()
  }
}
