import type { Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { ExpectedPeer, Flow, TransportName } from '#sip/agent.ts'
import type { Inbox } from '#sip/transport/inbox.ts'
import { countRefused, type RefusalCause } from '#sip/transport/transport.ts'

/** Bounds of stream connections: TCP, TLS and WebSocket; each has a default. */
export interface StreamLimits {
  /** Connections in all, default 10,000. */
  connections: number
  /** Connections of one remote address, default 1,000. */
  connectionsPerAddress: number
  /** A connection of ours must be made within this, TLS handshake included, default 4 s. */
  connectMs: Millis
  /** Peers whose TLS handshake or HTTP upgrade is under way, default 2,000; beyond, the one that takes longest has to go. */
  handshakes: number
  /** Those of one remote address, default 500. */
  handshakesPerAddress: number
  /** A handshake or upgrade must be done within this, default 5 s. */
  handshakeMs: Millis
  /** A message must be complete this long after its first byte, default 10 s; then its sender is a slow-loris. */
  messageMs: Millis
  /** A connection without a first byte is closed after this, default 30 s. */
  firstByteMs: Millis
  /** A connection without a byte either way is closed after this, default 1 h; below what phones register for it would cut them off. */
  idleMs: Millis
  /** What may wait for a slow reader; above it the connection is closed, default 1 MiB. */
  outboundBytes: number
  /** A WebSocket is pinged this often, and closed when it does not answer until the next, default 30 s. */
  pingMs: Millis
}

export const defaultStreamLimits: StreamLimits = {
  connections: 10_000,
  connectionsPerAddress: 1_000,
  connectMs: 4_000,
  handshakes: 2_000,
  handshakesPerAddress: 500,
  handshakeMs: 5_000,
  messageMs: 10_000,
  firstByteMs: 30_000,
  idleMs: 3_600_000,
  outboundBytes: 1_048_576,
  pingMs: 30_000,
}

/** One stream connection, whatever carries it. */
export interface Connection {
  readonly flow: Flow
  /** False when it is closing; nothing was sent then. */
  send(bytes: Uint8Array): boolean
  /** Sends what is buffered and closes. Idempotent; `why` goes into the failure that the owner hears of. */
  close(why: string): void
  /** Closes it now, whatever is buffered. */
  drop(why: string): void
}

/** Every stream connection: found by number, reused by remote address, limited in number, told of when it ends. */
export class Connections {
  readonly limits: StreamLimits
  readonly wheel: TimerWheel
  readonly inbox: Inbox
  readonly #byNumber = new Map<number, Connection>()
  readonly #byRemote = new Map<string, Connection>()
  readonly #perAddress = new Map<string, number>()
  /** Made by peers that had not proved themselves then, in order of arrival. */
  readonly #strangers = new Map<number, Connection>()
  #last = 0
  #closing = false
  #emptied: () => void = () => undefined

  constructor(inbox: Inbox, wheel: TimerWheel, limits: Partial<StreamLimits>) {
    this.inbox = inbox
    this.wheel = wheel
    this.limits = { ...defaultStreamLimits, ...limits }
  }

  get size(): number {
    return this.#byNumber.size
  }

  get isClosing(): boolean {
    return this.#closing
  }

  /** True if one more may come from that address; a refusal is counted. */
  welcomes(address: string): boolean {
    this.inbox.connects(address)
    if (this.inbox.watch?.admits(address) !== false) return this.admits(address)
    this.refused('banned')
    return false
  }

  /** True if one more may come from, or go to, that address; a refusal is counted. */
  admits(address: string): boolean {
    const { connections, connectionsPerAddress } = this.limits
    if (!this.#closing && (this.#perAddress.get(address) ?? 0) < connectionsPerAddress) {
      if (this.size < connections || this.#makeRoom()) return true
    }
    this.refused('connection-limit')
    return false
  }

  /** The flow of a connection about to be added. */
  flow(transport: TransportName, local: Flow['local'], remote: Flow['remote'], expects?: ExpectedPeer): Flow {
    const flow = { transport, local, remote, connection: ++this.#last }
    return expects === undefined ? flow : { ...flow, expects }
  }

  /** `byPeer`: the other end made it. */
  add(connection: Connection, byPeer: boolean): void {
    const { flow } = connection
    if (byPeer && !this.#trusts(connection)) this.#strangers.set(flow.connection ?? 0, connection)
    this.#byNumber.set(flow.connection ?? 0, connection)
    // The latest one to an address is the likeliest to live.
    this.#byRemote.set(remoteKey(flow.transport, flow.remote, flow.expects), connection)
    this.#perAddress.set(flow.remote.address, (this.#perAddress.get(flow.remote.address) ?? 0) + 1)
    this.inbox.counts.connectionsOpened++
    this.inbox.counts.connectionsOpen = this.size
  }

  /** A connection ended. Told once. */
  remove(connection: Connection, why: string): void {
    const { flow } = connection
    this.inbox.connects(flow.remote.address)
    if (!this.#byNumber.delete(flow.connection ?? 0)) return
    this.#strangers.delete(flow.connection ?? 0)
    const key = remoteKey(flow.transport, flow.remote, flow.expects)
    if (this.#byRemote.get(key) === connection) this.#byRemote.delete(key)
    const left = (this.#perAddress.get(flow.remote.address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(flow.remote.address)
    else this.#perAddress.set(flow.remote.address, left)
    this.inbox.counts.connectionsOpen = this.size
    if (!this.#closing) this.inbox.failed(flow, why)
    else if (this.size === 0) this.#emptied()
  }

  /** When all places are taken, the stranger who has had one for the longest without proving itself has to go: thousands of them keep nobody out. */
  #makeRoom(): boolean {
    for (const [number, connection] of this.#strangers) {
      this.#strangers.delete(number)
      if (this.#trusts(connection)) continue
      this.refused('connection-limit')
      connection.drop('others need its place')
      return true
    }
    return false
  }

  #trusts({ flow }: Connection): boolean {
    return this.inbox.watch?.trusts(flow.remote) ?? true
  }

  byNumber(connection: number): Connection | undefined {
    return this.#byNumber.get(connection)
  }

  /** One connection serves everything for the same peer (RFC 5923); on TLS it must have been shown to be the one expected. */
  byRemote(transport: TransportName, remote: Flow['remote'], expects?: ExpectedPeer): Connection | undefined {
    return this.#byRemote.get(remoteKey(transport, remote, expects))
  }

  refused(cause: RefusalCause): void {
    countRefused(this.inbox.counts, cause)
  }

  /** Closes every connection; resolves when the last is gone, within the half second that each has to send what is buffered. */
  async close(): Promise<void> {
    this.#closing = true
    const gone = new Promise<void>((resolve) => (this.#emptied = resolve))
    for (const connection of [...this.#byNumber.values()]) connection.close('we are closing')
    if (this.size > 0) await gone
  }
}

function remoteKey(transport: TransportName, { address, port }: Flow['remote'], expects?: ExpectedPeer): string {
  if (expects === undefined) return `${transport} ${address} ${port}`
  const { name, trust } = expects
  return `${transport} ${address} ${port} ${name} ${typeof trust === 'string' ? trust : trust.pem}`
}
