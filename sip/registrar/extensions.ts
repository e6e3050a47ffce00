import { unquoted } from '#sip/message/grammar.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { type NameAddr, parseNameAddr } from '#sip/message/name-addr.ts'

/** What a REGISTER asks for beyond RFC 3261. */
export interface RegisterExtensions {
  /** Path values (RFC 3327), the hop next to us first: the route back. */
  readonly path: readonly string[]
  /** Flows are wanted and can be had (RFC 5626 §6): bindings are told apart by instance and reg-id. */
  readonly outbound: boolean
  /** GRUUs are wanted (RFC 5627 §5.3). */
  readonly gruu: boolean
}

/** Why a REGISTER's extensions cannot be served. */
export interface ExtensionRefusal {
  readonly status: number
  readonly reason?: string
  readonly headers: HeaderLines
}

const MAX_PATH = 8

/** Reads Path, reg-id and Supported of a REGISTER with these contacts, or refuses them by name. */
export function extensionsOf({ headers }: SipRequest, contacts: readonly NameAddr[]): RegisterExtensions | ExtensionRefusal {
  const supported = headers.supported
  const path = headers.all('path')
  if (path.length > MAX_PATH) return { status: 400, reason: 'Too many Path values', headers: [] }
  const hops = path.map((value) => parseNameAddr(value))
  if (hops.some((hop) => hop?.parsed.kind !== 'sip')) return { status: 400, reason: 'Malformed Path', headers: [] }
  // A phone that knows nothing of Path could not notice one that somebody put in on the way (RFC 3327 §5.3, §6).
  if (path.length > 0 && !supported.includes('path')) return { status: 420, headers: [['Unsupported', 'path']] }
  const flows = contacts.filter(({ params }) => params.has('reg-id') && unquoted(params.get('+sip.instance') ?? '') !== '')
  const outbound = flows.length > 0 && supported.includes('outbound')
  if (outbound && flows.filter(({ params }) => params.get('expires') !== '0').length > 1) {
    return { status: 400, reason: 'One flow per REGISTER', headers: [] }
  }
  // The proxy next to the phone must keep the flow, and says so by `ob` (§5.1): its Path value is the last one.
  const edge = hops.at(-1)?.parsed
  const edgeKeeps = edge?.kind === 'sip' && edge.params.has('ob')
  if (outbound && headers.vias.length > 1 && !edgeKeeps) return { status: 439, headers: [] }
  return { path, outbound, gruu: supported.includes('gruu') }
}
