import type { SocketAddress, StreamParams } from '#media/engine.ts'
import type { EngineLink } from '#media/engine/link.ts'
import type { RemoteEndpoint } from '#media/engine/remote-endpoint.ts'
import { isIpv6, isWildcard } from '#media/socket/address.ts'

interface Tunnel {
  a: RemoteEndpoint
  b: RemoteEndpoint
  /** Ends of the tunnel: each in the engine of its party, joined with it, aimed at the other end. */
  ends: readonly [RemoteEndpoint, RemoteEndpoint]
}

/** Telephone-events inside a tunnel. */
const DTMF_PAYLOAD_TYPE = 101

/**
 * Joins of endpoints that live in different engines: one more endpoint in each, joined with the party there, and RTP on this
 * machine between the two. Needed when calls meet that were not opened together (a transfer, a pickup).
 */
export class Tunnels {
  readonly #byParty = new Map<RemoteEndpoint, Tunnel>()

  /** False: no port was left; the parties then hear nothing of each other. */
  join(a: RemoteEndpoint, b: RemoteEndpoint, open: (link: EngineLink) => RemoteEndpoint | null): boolean {
    const [endA, endB] = [open(a.link), open(b.link)]
    if (endA === null || endB === null) {
      endA?.close()
      endB?.close()
      return false
    }
    endA.aim(towards(endB, a))
    endB.aim(towards(endA, a))
    a.joinHere(endA)
    b.joinHere(endB)
    const tunnel: Tunnel = { a, b, ends: [endA, endB] }
    this.#byParty.set(a, tunnel)
    this.#byParty.set(b, tunnel)
    return true
  }

  /** False: the endpoint is in no tunnel. */
  part(party: RemoteEndpoint): boolean {
    const tunnel = this.#byParty.get(party)
    if (tunnel === undefined) return false
    this.#byParty.delete(tunnel.a)
    this.#byParty.delete(tunnel.b)
    tunnel.a.partHere()
    tunnel.b.partHere()
    for (const end of tunnel.ends) end.close()
    return true
  }
}

/** The stream of a tunnel's end: the party's codec, so that it passes untouched. */
export function towards(other: RemoteEndpoint, party: RemoteEndpoint): StreamParams {
  const codec = party.wanted.stream?.codec ?? 'PCMA'
  return {
    remote: reachable(other.local),
    rtcp: null,
    accept: { mode: 'exact' },
    codec,
    payloadType: codec === 'PCMA' ? 8 : 0,
    dtmfPayloadType: DTMF_PAYLOAD_TYPE,
    direction: 'sendrecv',
    ptimeMs: 20,
    silenceMs: 0,
  }
}

/** From a wildcard address this machine reaches itself on loopback. */
function reachable(local: SocketAddress): SocketAddress {
  return isWildcard(local.address) ? { address: isIpv6(local.address) ? '::1' : '127.0.0.1', port: local.port } : local
}
