import type { SipHeaders } from '#sip/message/headers.ts'

/**
 * A To tag that a repetition of the same request gets again (RFC 3261 §8.2.7): a hash (FNV-1a) of what the repetition shares. It
 * separates requests and protects nothing. Needs no header to be there, so that refused messages can be answered. An ACK has that of its INVITE.
 */
export function statelessTag(headers: SipHeaders): string {
  const cseq = headers.get('CSeq') ?? ''
  const via = mixed(OFFSET, headers.get('Via') ?? '')
  const callId = mixed(mixed(via, '|'), headers.get('Call-ID') ?? '')
  const hash = mixed(mixed(callId, '|'), cseq.includes('ACK') ? cseq.replace('ACK', 'INVITE') : cseq)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

function mixed(hash: number, text: string): number {
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  return hash
}
