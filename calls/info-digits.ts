import type { SipRequest } from '#sip/message/message.ts'

const digitCodes: Readonly<Record<string, string>> = { '10': '*', '11': '#', '12': 'A', '13': 'B', '14': 'C', '15': 'D' }

/**
 * Digits carried by a SIP INFO: `application/dtmf-relay` (`Signal=5`, `Duration=160`) or `application/dtmf` (the digit alone).
 * Null when the body is something else.
 */
export function digitsOf(request: SipRequest): string | null {
  const type = (request.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase()
  const text = Buffer.from(request.body.buffer, request.body.byteOffset, Math.min(request.body.byteLength, 256)).toString('latin1')
  if (type === 'application/dtmf-relay') return digit(/^\s*signal\s*=\s*(\S+)/im.exec(text)?.[1])
  if (type === 'application/dtmf') return digit(text.trim())
  return null
}

function digit(code: string | undefined): string | null {
  const known = code === undefined ? undefined : (digitCodes[code] ?? code.toUpperCase())
  return known !== undefined && /^[0-9*#A-D]$/.test(known) ? known : null
}
