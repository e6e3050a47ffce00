import type { Flow } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { defaultPort, isFlow, type Transport } from '#sip/transport/transport.ts'

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
  const port = via.port ?? defaultPort(flow.transport)
  return port === flow.remote.port ? flow : { ...flow, remote: { address: flow.remote.address, port } }
}

/**
 * After a connection was lost: a new one to the source address at the sent-by port (RFC 3261 §18.2.2); over TLS only where we had made it,
 * as nobody else is known to be who they are. Null where none can be had.
 */
export function reconnectFlow(flow: Flow, sentByPort: number, transport: Transport): Flow | null {
  const { transport: name, remote, expects } = flow
  if (name !== 'tcp' && (name !== 'tls' || expects === undefined)) return null
  const again = transport.open({ transport: name, address: remote.address, port: sentByPort, ...(expects !== undefined && { expects }) })
  return isFlow(again) ? again : null
}
