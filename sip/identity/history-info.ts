import { userOfAddress } from '#sip/identity/caller.ts'
import type { Diversion, DiversionReason } from '#sip/identity/diversion.ts'
import { privacyOf } from '#sip/identity/privacy.ts'
import type { SipHeaders } from '#sip/message/headers.ts'
import type { NameAddr } from '#sip/message/name-addr.ts'
import { formatUri, sipUri } from '#sip/message/uri.ts'

/** The cause that stands for a reason in History-Info (RFC 4458 §2, RFC 7544 §3). */
const causeOf: Readonly<Partial<Record<DiversionReason, number>>> = {
  unconditional: 302,
  'user-busy': 486,
  'no-answer': 408,
  deflection: 480,
  unavailable: 503,
}

const reasonOf: Readonly<Record<string, DiversionReason>> = {
  '302': 'unconditional',
  '486': 'user-busy',
  '408': 'no-answer',
  '480': 'deflection',
  '487': 'deflection',
  '503': 'unavailable',
}

/**
 * The diversions that History-Info tells, the latest first. An entry tells one when it is there in place of another: it has `mp`, or a
 * `cause` in its URI; an entry that only found the contact of an address (`rc` alone) is none.
 */
export function historyOf(headers: SipHeaders): Diversion[] {
  const entries = headers.addresses('History-Info')
  const byIndex = new Map(entries.map((entry) => [entry.params.get('index') ?? '', entry]))
  const allHidden = privacyOf(headers).history
  return entries
    .flatMap((entry): Diversion[] => {
      const cause = entry.parsed.kind === 'sip' ? entry.parsed.params.get('cause') : undefined
      const before = entry.params.get('mp') ?? (cause === undefined ? undefined : (entry.params.get('rc') ?? parentOf(entry)))
      const diverted = before === undefined ? undefined : byIndex.get(before)
      const user = diverted === undefined ? null : userOfAddress(diverted)
      if (diverted === undefined || user === null || user === '') return []
      return [{ user, reason: reasonOf[cause ?? ''] ?? 'unknown', hidden: allHidden || isHidden(diverted) }]
    })
    .reverse()
}

/** The two entries that tell one diversion: of whom it had been meant for, and of whom it goes to now. */
export function formatHistory(from: { user: string; host: string }, to: { user: string; host: string }, reason: DiversionReason): string[] {
  const cause = causeOf[reason] ?? 404
  const target = sipUri({ ...to, params: new Map([['cause', String(cause)]]) })
  // A diversion without a response of the first target, such as an unconditional one, has no Reason (RFC 7044 §5).
  const why = cause === 302 || cause === 404 ? '' : `?Reason=SIP%3Bcause%3D${cause}`
  return [`<${formatUri(sipUri(from))}${why}>;index=1`, `<${formatUri(target)}>;index=1.1;mp=1`]
}

function parentOf(entry: NameAddr): string | undefined {
  const index = entry.params.get('index') ?? ''
  const dot = index.lastIndexOf('.')
  return dot < 0 ? undefined : index.slice(0, dot)
}

/** Privacy in the entry's own URI (RFC 7044 §10.1.1), or an entry that was made anonymous. */
function isHidden({ parsed }: NameAddr): boolean {
  if (parsed.kind !== 'sip') return false
  return parsed.host === 'anonymous.invalid' || parsed.headers.some(([name, value]) => name.toLowerCase() === 'privacy' && value !== 'none')
}
