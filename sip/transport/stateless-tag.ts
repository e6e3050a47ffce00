import type { SipHeaders } from '#sip/message/headers.ts'

/**
 * A To tag that a repetition of the same request gets again (RFC 3261 §8.2.7): a hash (FNV-1a) of what the repetition shares. It
 * separates requests and protects nothing. Needs no header to be there, so that refused messages can be answered. An ACK has that of its INVITE.
 */
export function statelessTag(headers: SipHeaders): string {
  const text = `${headers.get('Via') ?? ''}|${headers.get('Call-ID') ?? ''}|${headers.get('CSeq')?.replace('ACK', 'INVITE') ?? ''}`
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
