import type { HeaderLines, SipHeaders } from '#sip/message/headers.ts'

/** How sessions are kept from outliving their parties (RFC 4028); seconds. */
export interface SessionTimerSettings {
  /** What we ask for, and the most we agree to; 0: we ask for nothing and agree to what others ask. */
  readonly expires: number
  /** Shorter intervals are refused with 422. RFC 4028 §5 wants at least 90. */
  readonly min: number
}

/** What both sides have agreed on: the session ends unless it is refreshed within so many seconds, by whom. */
export interface SessionTerms {
  readonly expires: number
  readonly refresher: 'us' | 'peer'
}

/** The peer asks for less than we allow: 422 with this Min-SE. */
export interface TooSmall {
  readonly min: number
}

/** RFC 4028 §4: no side may ask for more often. */
const LEAST_MIN_SE = 90
/** 68 years are as good as never; more is no number of seconds. */
const MOST = 2 ** 31 - 1

/** The terms of our 2xx to a re-INVITE, INVITE or UPDATE (RFC 4028 §9, table 2); null: no timer. */
export function termsOfRequest(headers: SipHeaders, settings: SessionTimerSettings): SessionTerms | null | TooSmall {
  const asked = deltaOf(headers.get('Session-Expires'))
  if (asked === null && settings.expires === 0) return null
  const knows = headers.supports('timer') || headers.requires('timer')
  if (asked === null) {
    if (!knows) return null
    return { expires: Math.max(settings.expires, minSeOf(headers)), refresher: 'peer' }
  }
  // Who does not know the extension cannot understand a 422: a proxy on the way has asked.
  if (asked < settings.min && knows) return { min: settings.min }
  const wanted = settings.expires === 0 ? asked : Math.min(asked, settings.expires)
  const expires = Math.max(wanted, minSeOf(headers), settings.min)
  return { expires, refresher: knows && refresherOf(headers) !== 'uas' ? 'peer' : 'us' }
}

/** The headers of our 2xx that say so. A refresher who is told to be one must know how (RFC 4028 §9). */
export function linesOfAnswer(terms: SessionTerms): HeaderLines {
  return terms.refresher === 'peer'
    ? [
        ['Session-Expires', `${terms.expires};refresher=uac`],
        ['Require', 'timer'],
      ]
    : [['Session-Expires', `${terms.expires};refresher=uas`]]
}

/** The headers of a request of ours in a dialog that has terms already (RFC 4028 §7.4). */
export function linesOfRefresh(terms: SessionTerms, min: number): HeaderLines {
  return withMin([['Session-Expires', `${terms.expires};refresher=${terms.refresher === 'us' ? 'uac' : 'uas'}`]], min)
}

/** The headers of an INVITE of ours that begins a dialog. `min`: what a 422 has asked for, or our own. */
export function linesOfInvite(expires: number, min: number): HeaderLines {
  return expires === 0 ? [] : withMin([['Session-Expires', String(Math.max(expires, min))]], min)
}

/** What the 2xx to a request of ours says (RFC 4028 §7.2); null: the peer, and nobody on the way, wants a timer. */
export function termsOfResponse(headers: SipHeaders): SessionTerms | null {
  const expires = deltaOf(headers.get('Session-Expires'))
  return expires === null || expires === 0 ? null : { expires, refresher: refresherOf(headers) === 'uas' ? 'peer' : 'us' }
}

/** Min-SE of a request or of a 422; 0 where it is missing. */
export function minSeOf(headers: SipHeaders): number {
  return deltaOf(headers.get('Min-SE')) ?? 0
}

function withMin(lines: HeaderLines, min: number): HeaderLines {
  return min === LEAST_MIN_SE ? lines : [...lines, ['Min-SE', String(min)]]
}

function deltaOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const digits = /^\s*(\d{1,10})\s*(?:;|$)/.exec(text)?.[1]
  return digits === undefined ? null : Math.min(Number(digits), MOST)
}

function refresherOf(headers: SipHeaders): string | null {
  return /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(headers.get('Session-Expires') ?? '')?.[1]?.toLowerCase() ?? null
}
