import type { StreamParams } from '#media/engine.ts'
import { inNetwork, type IpOctets, isLoopback, isPrivate, parseIp, sameAddress } from '#media/sdp/address.ts'

/**
 * Who may send audio to us, decided from what the peer's SDP says and where its signalling comes from.
 *
 * | SDP address                  | signalling from            | rule  | why                                                       |
 * |------------------------------|----------------------------|-------|-----------------------------------------------------------|
 * | the same                     | the same                   | exact | the usual phone or trunk, no NAT between                  |
 * | public                       | anywhere else              | exact | a carrier whose media gateway is another machine          |
 * | loopback                     | loopback, another          | exact | programs on this machine                                  |
 * | loopback                     | not loopback               | latch | the peer speaks of its own machine                        |
 * | private, in a local network  | private                    | exact | a gateway on our network, reached without NAT             |
 * | private, in a local network  | public                     | latch | a far network with the same numbering as ours, behind NAT |
 * | private, not local           | anywhere else              | latch | the peer is behind NAT                                    |
 * | unspecified, or a host name  | anywhere                   | latch | the SDP does not say where the peer is                    |
 *
 * `latch` is always on the signalling address, never on the one in the SDP: an attacker on a third address can neither
 * claim the stream nor have it sent to a victim.
 */
export function acceptRule(peer: {
  sdpAddress: string
  signallingAddress: string
  localNetworks: readonly string[]
}): StreamParams['accept'] {
  const { sdpAddress, signallingAddress, localNetworks } = peer
  if (sameAddress(sdpAddress, signallingAddress)) return EXACT
  const sdp = parseIp(sdpAddress)
  const signalling = parseIp(signallingAddress)
  const latch = { mode: 'latch', address: signallingAddress } as const
  if (sdp === null) return latch
  if (!isPrivate(sdp)) return EXACT
  if (isLoopback(sdp)) return signalling !== null && isLoopback(signalling) ? EXACT : latch
  const near = signalling !== null && isPrivate(signalling)
  return near && isLocal(sdp, localNetworks) ? EXACT : latch
}

const EXACT = { mode: 'exact' } as const

function isLocal(address: IpOctets, networks: readonly string[]): boolean {
  return networks.some((network) => inNetwork(address, network))
}
