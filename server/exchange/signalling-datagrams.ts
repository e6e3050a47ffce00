import { type BindDatagrams, nodeDatagrams } from '#sip/transport/datagrams.ts'
import { whyNotDirect } from '#media/socket/arrivals.ts'
import { bindDatagrams } from '#media/socket/direct-datagrams.ts'
import { isBindFault } from '#media/socket/socket.ts'

/** UDP for signalling: by direct system calls (docs/adr/0021-datagrams-by-system-calls.md) where this machine has them. */
export function signallingDatagrams(): BindDatagrams {
  return whyNotDirect() === null ? bind : nodeDatagrams
}

const bind: BindDatagrams = async (local, how) => {
  const socket = bindDatagrams(local, how)
  // As Node says it: whoever reads it knows the code.
  if (isBindFault(socket)) throw Object.assign(new Error(`bind ${socket.code} ${local.address}:${local.port}`), { code: socket.code })
  return {
    local: socket.local,
    send: (bytes, remote) => socket.send(bytes, remote),
    close: async () => socket.close(),
  }
}
