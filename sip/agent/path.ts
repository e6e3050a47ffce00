import type { Flow, SendTo, TransportName } from '#sip/agent.ts'
import type { Core } from '#sip/agent/core.ts'
import type { Dialog } from '#sip/dialog/dialog.ts'
import { GONE } from '#sip/dialog/dialog.ts'
import { isIpv4, isIpv6 } from '#sip/message/host.ts'
import { parseSipUri, type SipUri } from '#sip/message/uri.ts'
import { defaultPort, type Destination, isFlow, type LocationQuestion, type NoFlow } from '#sip/transport/transport.ts'

/** A way to a peer, or why there is none. */
export type Path = Flow | NoFlow

/** How long a request waits for a device to connect again. */
const HOMECOMING_MS = 8_000

/** Where a request outside a dialog goes (RFC 3261 §8.1.2): what the owner says, or the first Route, or the Request-URI. */
export interface Aim {
  readonly uri: string
  readonly via?: Flow | Destination | undefined
  readonly route?: readonly string[] | undefined
}

/** The ways to `aim` in the order to try (RFC 3263 §4). A flow or an IP literal is known at once; a name must be resolved. */
export function destinationsOf(core: Core, aim: Aim, nextHop: string): Flow | readonly Destination[] | Promise<readonly Destination[]> {
  const { via } = aim
  if (via !== undefined) return 'remote' in via ? via : isLiteral(via.address) ? [via] : namedDestinations(core, via)
  const uri = parseSipUri(nextHop)
  if (uri === undefined) return []
  return isLiteral(uri.host) ? [toLiteral(uri)] : core.resolver.resolve(questionOf(uri))
}

export function openPath(core: Core, destination: Destination | undefined): Path {
  return destination === undefined ? noFlow('no address to send to') : core.transport.open(destination)
}

export function noFlow(detail: string): NoFlow {
  return { kind: 'no-flow', why: 'transport', detail }
}

/**
 * The way of a request in a dialog. By RFC 3261 §12.2.1.1 it is the first route or the remote target. But what a peer writes there is often
 * not where it can be reached: then requests go back over the flow that the peer's own come from (RFC 5626 in spirit).
 */
export function dialogPath(core: Core, dialog: Dialog): Path | Promise<Path> {
  const { flow } = dialog
  if (flow.connection === GONE) return recoveredPath(core, dialog)
  if (flow.connection !== null || dialog.translated) return flow
  const uri = parseSipUri(dialog.routed.nextHop)
  if (uri === undefined || wantsItsFlow(uri) || isWhere(uri, flow) || !isReachable(core, uri.host, flow)) return flow
  if (isLiteral(uri.host)) return openPath(core, toLiteral(uri))
  return namedPath(core, uri, flow)
}

/**
 * A way to a peer whose connection is gone: one that the owner knows (the device has registered again), a new connection where the peer
 * accepts one, or a wait for the device to come back.
 */
export async function recoveredPath(core: Core, dialog: Dialog): Promise<Path> {
  const known = core.reflow(dialog.keep())
  if (known !== null) return known
  const { flow } = dialog
  const { transport, remote, expects } = flow
  // We made it, so we can make it again.
  if (expects !== undefined) return openPath(core, { transport, address: remote.address, port: remote.port, expects })
  const uri = parseSipUri(dialog.routed.nextHop)
  const accepts = transport === 'udp' || transport === 'tcp'
  if (uri !== undefined && !dialog.translated && accepts && isReachable(core, uri.host, flow) && isLiteral(uri.host)) {
    return openPath(core, { transport, address: uri.host, port: uri.port ?? defaultPort(transport) })
  }
  return homePath(core, dialog)
}

/** The flow over which the device comes back. */
export async function homePath(core: Core, dialog: Dialog): Promise<Path> {
  const back = (): Flow | null => (dialog.flow.connection === GONE ? core.reflow(dialog.keep()) : dialog.flow)
  return (await core.homecoming.wait(back, HOMECOMING_MS)) ?? noFlow('the connection of the peer is gone')
}

/** The transport that a URI asks for (RFC 3263 §4.1, RFC 3261 §26.2.2, RFC 7118 §5.4); null when it leaves the choice to us. */
export function transportOf(uri: SipUri): TransportName | null {
  const name = uri.params.get('transport')?.toLowerCase()
  if (name === 'ws' || name === 'wss') return name === 'wss' || uri.secure ? 'wss' : 'ws'
  if (name === 'tls' || uri.secure) return 'tls'
  return name === 'tcp' || name === 'udp' ? name : null
}

/** RFC 1918, RFC 6598, RFC 4193, link-local, loopback, and names that never resolve (RFC 2606): reachable only from beside. */
export function isPrivateHost(host: string): boolean {
  if (isIpv4(host))
    return /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(host)
  if (isIpv6(host)) return /^(?:::1$|f[cd]|fe[89ab])/i.test(host)
  return host.endsWith('.invalid') || !host.includes('.')
}

async function namedPath(core: Core, uri: SipUri, flow: Flow): Promise<Path> {
  const found = await core.resolver.resolve(questionOf(uri))
  const [first] = found
  // A name that leads to where the peer is anyway, or nowhere at all: the flow is known to work.
  if (first === undefined || found.some((d) => d.address === flow.remote.address && d.port === flow.remote.port)) return flow
  const path = core.transport.open(first)
  return isFlow(path) ? path : flow
}

/** Where a name given with its port leads; whom we expect there stays as it was told. */
async function namedDestinations(core: Core, to: SendTo): Promise<readonly Destination[]> {
  const { expects } = to
  const found = await core.resolver.resolve({ host: to.address, port: to.port, transport: to.transport })
  return expects === undefined ? found : found.map((each) => ({ ...each, expects }))
}

function questionOf(uri: SipUri): LocationQuestion {
  return { host: uri.host, port: uri.port ?? null, transport: transportOf(uri), secure: uri.secure }
}

function toLiteral(uri: SipUri): Destination {
  const transport = transportOf(uri) ?? 'udp'
  return { transport, address: uri.host, port: uri.port ?? defaultPort(transport) }
}

function isWhere(uri: SipUri, flow: Flow): boolean {
  const { transport, port } = toLiteral(uri)
  return uri.host === flow.remote.address && port === flow.remote.port && transport === flow.transport
}

/** `gr`: a GRUU, whose host leads to its registrar, which we are (RFC 5627); `ob`: the peer asks for its flow (RFC 5626 §5.3). */
function wantsItsFlow({ params }: SipUri): boolean {
  return params.has('gr') || params.has('ob')
}

/** A private address behind a public one is on the far side of a translation. */
function isReachable(core: Core, host: string, flow: Flow): boolean {
  return core.isLocal(flow.remote.address) || !isPrivateHost(host)
}

function isLiteral(host: string): boolean {
  return isIpv4(host) || isIpv6(host)
}
