import type { SipHeaders } from '#sip/message/headers.ts'

/** What a Privacy header asks for (RFC 3323 §4.2, `id` RFC 3325 §9.3, `history` RFC 7044 §10.1). */
export interface Privacy {
  /** The asserted identity must not leave the trust domain. */
  readonly id: boolean
  readonly user: boolean
  readonly header: boolean
  readonly history: boolean
}

const NOTHING: Privacy = { id: false, user: false, header: false, history: false }

/** Reads every Privacy header; values are separated by `;`, in the field by commas, too. `none` asks for nothing, whatever else is said. */
export function privacyOf(headers: SipHeaders): Privacy {
  const lines = headers.all('privacy')
  if (lines.length === 0) return NOTHING
  const asked = new Set(lines.flatMap((line) => line.split(/[;,]/)).map((value) => value.trim().toLowerCase()))
  if (asked.has('none')) return NOTHING
  return { id: asked.has('id'), user: asked.has('user'), header: asked.has('header'), history: asked.has('history') }
}

/** The caller must not be shown. */
export function hidesCaller(privacy: Privacy): boolean {
  return privacy.id || privacy.user || privacy.header
}

/** From of a caller who is not shown (RFC 3323 §4.1.1.3). */
export const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
