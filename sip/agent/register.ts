import type { Flow, Identity } from '#sip/agent.ts'
import { answer, type Core } from '#sip/agent/core.ts'
import { remainingSeconds, type Binding } from '#sip/registrar/binding.ts'
import { contactKey } from '#sip/registrar/contact-key.ts'
import { type ExtensionRefusal, extensionsOf, type RegisterExtensions } from '#sip/registrar/extensions.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import type { ContactWish, RegisterWish, Registrar } from '#sip/registrar/registrar.ts'
import { contactExpires, contactQ } from '#sip/message/fields.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'
import { parseUint, unquoted } from '#sip/message/grammar.ts'
import { beginningOf } from '#sip/message/text.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** Longest Contact URI that is kept. */
const MAX_CONTACT_LENGTH = 1_024

/** A phone must send something over its flow at least so often (RFC 5626 §4.4): below what address translators remember of TCP. */
const FLOW_TIMER_S = 120
/** Option tags that a REGISTER may require. */
export const REGISTER_EXTENSIONS: readonly string[] = ['path', 'outbound', 'gruu']
const SUPPORTED = ['Supported', REGISTER_EXTENSIONS.join(', ')] as const

/** Who serves REGISTER. */
export interface RegisterDesk {
  readonly registrar: Registrar
  /** Hosts that mean this registrar beside the domain of the address of record: many phones have the server's IP address for a domain. */
  isOurHost(host: string, flow: Flow): boolean
  /** Gives out GRUUs; null: none. */
  readonly gruus: Gruus | null
  /** Route values that registered phones send their requests through (RFC 3608), the first hop first. */
  readonly serviceRoute: readonly string[]
}

/** A REGISTER from `who`, authenticated (RFC 3261 §10.3). */
export function receiveRegister(core: Core, desk: RegisterDesk, transaction: ServerTransaction, who: Identity): void {
  const { request, flow } = transaction
  if (who.aor === null || !isFor(request.headers.to, who.aor, (host) => desk.isOurHost(host, flow))) {
    answer(core, transaction, 403)
    return
  }
  const wish = wishOf(request, who.aor, flow)
  if ('status' in wish) {
    const { status, reason, headers } = wish
    answer(core, transaction, status, { headers, ...(reason !== undefined && { reason }) })
    return
  }
  respond(core, desk, transaction, wish)
  core.homecoming.look()
}

/** A device may register its own address only. */
function isFor(to: NameAddr, aor: string, isOurHost: (host: string) => boolean): boolean {
  const { parsed } = to
  const at = aor.lastIndexOf('@')
  if (parsed.kind !== 'sip' || parsed.user?.toLowerCase() !== aor.slice(0, at)) return false
  return parsed.host === aor.slice(at + 1) || isOurHost(parsed.host)
}

/** A REGISTER as the registrar takes it, and what its answer must say. */
interface Asked {
  readonly wish: RegisterWish
  readonly extensions: RegisterExtensions
}

/** What is asked for, or why it cannot be read or served. */
function wishOf(request: SipRequest, aor: string, flow: Flow): Asked | ExtensionRefusal {
  const { headers } = request
  const asked = headers.contactsOrNull
  if (asked === null) return malformed('Malformed Contact')
  if (asked === '*' && headers.expires !== 0) return malformed('Contact: * needs Expires: 0')
  const extensions = extensionsOf(request, asked === '*' ? [] : asked)
  if ('status' in extensions) return extensions
  const contacts = asked === '*' ? [] : contactsOf(asked, headers.expires ?? null, extensions.outbound)
  if (typeof contacts === 'string') return malformed(contacts)
  const userAgent = headers.get('User-Agent')
  return {
    extensions,
    wish: {
      aor,
      contacts: asked === '*' ? 'all' : contacts,
      callId: headers.callId,
      cseq: headers.cseq.seq,
      flow,
      path: extensions.path,
      userAgent: userAgent === undefined ? null : beginningOf(userAgent, 200),
    },
  }
}

function malformed(reason: string): ExtensionRefusal {
  return { status: 400, reason, headers: [] }
}

function contactsOf(asked: readonly NameAddr[], expires: number | null, hasFlows: boolean): ContactWish[] | string {
  const wishes: ContactWish[] = []
  for (const { uri, parsed, params } of asked) {
    // Only what we can send a call to is worth keeping.
    if (parsed.kind !== 'sip' || uri.length > MAX_CONTACT_LENGTH) return 'Contact must be a sip URI'
    if (parsed.headers.length > 0) return 'Contact must have no headers'
    const shown = params.get('+sip.instance')
    const instance = shown === undefined ? null : unquoted(shown)
    const regId = parseUint(params.get('reg-id') ?? '', 2 ** 31 - 1) ?? null
    const outbound = hasFlows && instance !== null && instance !== '' && regId !== null
    wishes.push({
      uri,
      key: outbound ? `${instance};reg-id=${regId}` : contactKey(parsed),
      q: contactQ(params) / 1000,
      expires: contactExpires(params) ?? expires,
      ...{ instance, regId, outbound },
    })
  }
  return wishes
}

function respond(core: Core, desk: RegisterDesk, transaction: ServerTransaction, { wish, extensions }: Asked): void {
  const outcome = desk.registrar.register(wish)
  switch (outcome.kind) {
    case 'done':
      answer(core, transaction, 200, {
        headers: boundLines(core, desk, outcome.bindings, extensions),
      })
      return
    case 'too-brief':
      answer(core, transaction, 423, { headers: [['Min-Expires', String(outcome.minExpires)]] })
      return
    case 'too-many':
      answer(core, transaction, 403, { reason: 'Too many contacts' })
      return
    case 'out-of-order':
      answer(core, transaction, 500, { reason: 'CSeq out of order' })
  }
}

/** Every binding with the life it has (RFC 3261 §10.3 step 8), and the ways that were agreed on. */
function boundLines(core: Core, desk: RegisterDesk, bindings: readonly Binding[], extensions: RegisterExtensions): HeaderLines {
  const now = core.clock.now()
  const lines: (readonly [string, string])[] = []
  for (const binding of bindings) {
    const uris = extensions.gruu ? (desk.gruus?.of(binding) ?? null) : null
    const gruus = uris === null ? '' : `;pub-gruu="${uris.pub}";temp-gruu="${uris.temp}"`
    lines.push(['Contact', `${contactLine(binding, remainingSeconds(binding, now))}${gruus}`])
  }
  addWays(lines, desk, extensions)
  return lines
}

/** There by Path (RFC 3327 §5.3), from there by Service-Route (RFC 3608 §5), over a flow that is kept. */
function addWays(lines: (readonly [string, string])[], { serviceRoute }: RegisterDesk, { path, outbound }: RegisterExtensions): void {
  for (const value of path) lines.push(['Path', value])
  for (const value of serviceRoute) lines.push(['Service-Route', value])
  // RFC 5626 §6: `Require: outbound` says that the flows are told apart, Flow-Timer how often the phone must make itself heard.
  if (outbound) lines.push(['Require', 'outbound'], ['Flow-Timer', String(FLOW_TIMER_S)])
  lines.push(SUPPORTED)
}

function contactLine(binding: Binding, seconds: number): string {
  const q = binding.q === 1 ? '' : `;q=${binding.q}`
  const instance = binding.instance === null ? '' : `;+sip.instance="${binding.instance}"`
  const regId = binding.regId === null ? '' : `;reg-id=${binding.regId}`
  return `<${binding.contact}>${q};expires=${seconds}${instance}${regId}`
}
