import type { Flow } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { isFlow, type Transport } from '#sip/transport/transport.ts'

/** Where a Via without port is answered (RFC 3261 §18.2.2). */
export const DEFAULT_PORT = 5060

/**
 * The flow that a response takes (RFC 3261 §18.2.2, RFC 3581 §4): back over the connection; on UDP from the socket that got the request
 * to the address it came from, at the port it came from if `rport` asks so, else at the sent-by port.
 *
 * @NOTE deviates: without rport, a sender whose sent-by is not the address it sends from is behind a NAT, where its sent-by port leads
 * nowhere; it is answered at the source port.
 */
export function responseFlow(request: SipRequest, flow: Flow): Flow {
  const { via } = request.headers
  if (flow.connection !== null || via.rport !== undefined || via.host !== flow.remote.address) return flow
  const port = via.port ?? DEFAULT_PORT
  return port === flow.remote.port ? flow : { ...flow, remote: { address: flow.remote.address, port } }
}

/** After a TCP connection was lost: a new one to the source address at the sent-by port (RFC 3261 §18.2.2). Null where none can be had. */
export function reconnectFlow(flow: Flow, sentByPort: number, transport: Transport): Flow | null {
  if (flow.transport !== 'tcp') return null
  const again = transport.open({ transport: 'tcp', address: flow.remote.address, port: sentByPort })
  return isFlow(again) ? again : null
}
