import { setImmediate as turn } from 'node:timers/promises'
import type { Log } from '#base/log.ts'
import type { SocketAddress } from '#media/engine.ts'
import { ownerOfUdpPort } from '#media/socket/port-owner.ts'
import { type BindFault, isBindFault, type PacketSocket, type PairBinder } from '#media/socket/socket.ts'
import { bindUdp } from '#media/socket/udp-socket.ts'

/** Sockets bound before others get a turn of the event loop. */
const BOUND_AT_ONCE = 16

/** Binds the machine's sockets: by direct system calls where it has them (docs/adr/0021-datagrams-by-system-calls.md), else through `node:dgram`. */
export async function machineBinder(log: Log): Promise<PairBinder> {
  const { whyNotDirect } = await import('#media/socket/arrivals.ts')
  const { bindDirect } = await import('#media/socket/direct-socket.ts')
  const why = whyNotDirect()
  if (why !== null) {
    log.info('packets go through node:dgram, which costs more', { why })
    return pairBinder(bindUdp)
  }
  let bound = 0
  return pairBinder(async (local) => {
    if (++bound % BOUND_AT_ONCE === 0) await turn()
    return bindDirect(local)
  })
}

/** Binds pairs by a way to bind one socket. */
export function pairBinder(bind: (local: SocketAddress) => Promise<PacketSocket | BindFault>): PairBinder {
  return {
    async bind(local) {
      const rtp = await bind(local)
      if (isBindFault(rtp)) return rtp
      const rtcp = await bind({ address: local.address, port: rtp.local.port + 1 })
      if (!isBindFault(rtcp)) return { local: rtp.local, rtp, rtcp }
      rtp.close()
      return rtcp
    },
    ownerOf: ownerOfUdpPort,
  }
}
