import { parseNameAddr } from '#sip/message/name-addr.ts'
import { parseSipUri } from '#sip/message/uri.ts'

/** How a request in a dialog is addressed (RFC 3261 §12.2.1.1). */
export interface Routed {
  /** Request-URI. */
  readonly uri: string
  /** Route header values, in order. */
  readonly routes: readonly string[]
  /** The URI that says where the request goes first. */
  readonly nextHop: string
}

/**
 * Request-URI and Route of a request to `target` through `routeSet` (name-addr strings). A first route without `lr` is a strict router
 * (RFC 2543): it wants to see itself in the Request-URI, and the target last in Route.
 */
export function routed(target: string, routeSet: readonly string[]): Routed {
  const [first] = routeSet
  if (first === undefined) return { uri: target, routes: [], nextHop: target }
  const firstUri = parseNameAddr(first)?.uri ?? target
  const parsed = parseSipUri(firstUri)
  if (parsed === undefined || parsed.params.has('lr')) return { uri: target, routes: routeSet, nextHop: firstUri }
  return { uri: withoutHeaders(firstUri), routes: [...routeSet.slice(1), `<${target}>`], nextHop: firstUri }
}

/** What may not stand in a Request-URI goes (RFC 3261 §19.1.1). */
export function withoutHeaders(uri: string): string {
  const question = uri.indexOf('?')
  return question < 0 ? uri : uri.slice(0, question)
}
