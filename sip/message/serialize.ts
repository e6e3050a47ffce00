import { CONTENT_LENGTH } from '#sip/message/header-names.ts'
import type { SipMessage, SipRequest } from '#sip/message/message.ts'
import { oneLine, textWithRoom } from '#sip/message/text.ts'

/** The message as bytes, in one allocation. Content-Length is always the body's true length, whatever the headers say. */
export function serialize(message: SipMessage): Buffer {
  const { body } = message
  const bytes = textWithRoom(headOf(message), body.length)
  if (body.length > 0) bytes.set(body, bytes.length - body.length)
  return bytes
}

/** About how many bytes `serialize` will give; exact where all headers are ASCII. */
export function sizeOf(message: SipRequest): number {
  const { headers } = message
  let size = message.method.length + message.uri.length + START_AND_LENGTH + message.body.length
  for (let i = 0; i < headers.count; i++) size += (headers.nameAt(i)?.wire.length ?? 0) + (headers.valueAt(i)?.length ?? 0) + 4
  return size
}

/** `  SIP/2.0`, `Content-Length: 1234` and their ends of line. */
const START_AND_LENGTH = 36

function headOf(message: SipMessage): string {
  let head =
    message.kind === 'request' ? `${message.method} ${message.uri} SIP/2.0` : `SIP/2.0 ${message.status} ${oneLine(message.reason)}`
  const headers = message.headers
  for (let i = 0; i < headers.count; i++) {
    const name = headers.nameAt(i)
    if (name !== CONTENT_LENGTH && name !== undefined) head += name.lead + headers.valueAt(i)
  }
  return `${head}\r\nContent-Length: ${message.body.length}\r\n\r\n`
}
