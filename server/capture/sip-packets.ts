import { type CapturedPacket, packetBlock, pcapngHeader } from '#media/capture/pcapng.ts'
import { tcpPacket, udpPacket } from '#media/capture/ip-packet.ts'
import type { TraceEntry } from '#sip/trace.ts'

/** A SIP message of a call, and the leg it belongs to. */
export interface TracedOfLeg {
  leg: string
  entry: TraceEntry
}

/** Of a whole message, so that a segment's length field holds it. */
const mostPayload = 65_000

/**
 * SIP messages as the packets they were. On a stream each is one segment with the right bytes counted; what TLS or WebSocket wrapped is shown
 * unwrapped, and says so. `addressTowards`: our address as a peer sees it, where the socket is bound to all.
 */
export function sipPackets(traced: readonly TracedOfLeg[], addressTowards: (remote: string) => string): CapturedPacket[] {
  const streams = new Map<string, { in: number; out: number }>()
  return traced.map(({ leg, entry }) => {
    const { flow, direction, at } = entry
    const bound = flow.local.address
    const ours = { address: bound === '0.0.0.0' || bound === '::' ? addressTowards(flow.remote.address) : bound, port: flow.local.port }
    const route = direction === 'in' ? { from: flow.remote, to: ours } : { from: ours, to: flow.remote }
    const payload = entry.bytes.subarray(0, mostPayload)
    const comment = `leg ${leg}, over ${flow.transport}${flow.transport === 'udp' || flow.transport === 'tcp' ? '' : ', shown as TCP'}; secrets are masked`
    if (flow.transport === 'udp') return whole({ at, bytes: udpPacket(route, payload), comment })
    const key = `${flow.remote.address} ${flow.remote.port} ${flow.connection}`
    const counts = streams.get(key) ?? { in: 1, out: 1 }
    streams.set(key, counts)
    const bytes = tcpPacket(route, payload, { sequence: counts[direction], acknowledged: counts[direction === 'in' ? 'out' : 'in'] })
    counts[direction] += payload.length
    return whole({ at, bytes, comment })
  })
}

/** One capture of many packets, in the order of time. */
export function captureFile(packets: readonly CapturedPacket[]): Buffer {
  return Buffer.concat([pcapngHeader(), ...packets.toSorted((a, b) => a.at - b.at).map(packetBlock)])
}

function whole(packet: { at: number; bytes: Buffer; comment: string }): CapturedPacket {
  return { ...packet, wireBytes: packet.bytes.length }
}
