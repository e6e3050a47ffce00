import type { Flow, Identity } from '#sip/agent.ts'
import { answer, type Core } from '#sip/agent/core.ts'
import { remainingSeconds, type Binding } from '#sip/registrar/binding.ts'
import { contactKey } from '#sip/registrar/contact-key.ts'
import type { ContactWish, RegisterOutcome, RegisterWish, Registrar } from '#sip/registrar/registrar.ts'
import { contactExpires, contactQ } from '#sip/message/fields.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'
import { parseUint, unquoted } from '#sip/message/grammar.ts'
import { detached } from '#sip/message/text.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** Longest Contact URI that is kept. */
const MAX_CONTACT_LENGTH = 1_024
const MAX_PATH = 8

/** Who serves REGISTER. */
export interface RegisterDesk {
  readonly registrar: Registrar
  /** Hosts that mean this registrar beside the domain of the address of record: many phones have the server's IP address for a domain. */
  isOurHost(host: string, flow: Flow): boolean
}

/** A REGISTER from `who`, authenticated (RFC 3261 §10.3). */
export function receiveRegister(core: Core, desk: RegisterDesk, transaction: ServerTransaction, who: Identity): void {
  const { request, flow } = transaction
  if (who.aor === null || !isFor(request.headers.to, who.aor, (host) => desk.isOurHost(host, flow))) {
    answer(core, transaction, 403)
    return
  }
  const wish = wishOf(request, who.aor, flow)
  if (typeof wish === 'string') {
    answer(core, transaction, 400, { reason: wish })
    return
  }
  respond(core, transaction, desk.registrar.register(wish))
  core.homecoming.look()
}

/** A device may register its own address only. */
function isFor(to: NameAddr, aor: string, isOurHost: (host: string) => boolean): boolean {
  const { parsed } = to
  const at = aor.lastIndexOf('@')
  if (parsed.kind !== 'sip' || parsed.user?.toLowerCase() !== aor.slice(0, at)) return false
  return parsed.host === aor.slice(at + 1) || isOurHost(parsed.host)
}

/** What is asked for, or why it cannot be read. */
function wishOf(request: SipRequest, aor: string, flow: Flow): RegisterWish | string {
  const { headers } = request
  const asked = headers.contactsOrNull
  if (asked === null) return 'Malformed Contact'
  if (asked === '*' && headers.expires !== 0) return 'Contact: * needs Expires: 0'
  const contacts = asked === '*' ? [] : contactsOf(asked, headers.expires ?? null)
  if (typeof contacts === 'string') return contacts
  const path = headers.all('path')
  if (path.length > MAX_PATH) return 'Too many Path values'
  const userAgent = headers.get('User-Agent')
  return {
    aor,
    contacts: asked === '*' ? 'all' : contacts,
    callId: detached(headers.callId),
    cseq: headers.cseq.seq,
    flow,
    path: path.map(detached),
    userAgent: userAgent === undefined ? null : detached(userAgent.slice(0, 200)),
  }
}

function contactsOf(asked: readonly NameAddr[], expires: number | null): ContactWish[] | string {
  const wishes: ContactWish[] = []
  for (const { uri, parsed, params } of asked) {
    // Only what we can send a call to is worth keeping.
    if (parsed.kind !== 'sip' || uri.length > MAX_CONTACT_LENGTH) return 'Contact must be a sip URI'
    if (parsed.headers.length > 0) return 'Contact must have no headers'
    const instance = params.get('+sip.instance')
    wishes.push({
      uri: detached(uri),
      key: detached(contactKey(parsed)),
      q: contactQ(params) / 1000,
      expires: contactExpires(params) ?? expires,
      instance: instance === undefined ? null : detached(unquoted(instance)),
      regId: parseUint(params.get('reg-id') ?? '', 2 ** 31 - 1) ?? null,
    })
  }
  return wishes
}

function respond(core: Core, transaction: ServerTransaction, outcome: RegisterOutcome): void {
  switch (outcome.kind) {
    case 'done':
      answer(core, transaction, 200, { headers: bindingLines(core, transaction.request, outcome.bindings) })
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

/** Every binding with the life it has (RFC 3261 §10.3 step 8), and the Path that was kept (RFC 3327 §5.3). */
function bindingLines(core: Core, request: SipRequest, bindings: readonly Binding[]): HeaderLines {
  const now = core.clock.now()
  const contacts = bindings.map((binding) => ['Contact', contactLine(binding, remainingSeconds(binding, now))] as const)
  const path = request.headers.all('path').map((value) => ['Path', value] as const)
  return [...contacts, ...path]
}

function contactLine(binding: Binding, seconds: number): string {
  const q = binding.q === 1 ? '' : `;q=${binding.q}`
  const instance = binding.instance === null ? '' : `;+sip.instance="${binding.instance}"`
  const regId = binding.regId === null ? '' : `;reg-id=${binding.regId}`
  return `<${binding.contact}>${q};expires=${seconds}${instance}${regId}`
}
