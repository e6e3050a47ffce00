import type { SipRequest } from '#sip/message/message.ts'
import { buildRequest } from '#sip/message/build.ts'

/** Parts looked at before the SDP counts as missing. */
const MAX_PARTS = 16

/**
 * `request` as its reader wants it: where the body is a multipart (RFC 2046 §5.1; carriers add ISUP, phones a location), a copy with the
 * SDP part as the only body. Null when a multipart holds no SDP. The request itself when there is nothing to take out.
 */
export function withSessionBody(request: SipRequest): SipRequest | null {
  const type = request.headers.contentType
  if (request.body.length === 0 || type === undefined || !type.type.startsWith('multipart/')) return request
  const boundary = type.params.get('boundary')?.replace(/^"(.*)"$/, '$1')
  const sdp =
    boundary === undefined ? null : sdpPart(Buffer.from(request.body.buffer, request.body.byteOffset, request.body.length), boundary)
  if (sdp === null) return null
  const headers = request.headers.copy()
  headers.set('Content-Type', 'application/sdp')
  return buildRequest({ method: request.method, uri: request.uri, headers, body: sdp })
}

/** The first part of type application/sdp. */
function sdpPart(body: Buffer, boundary: string): Uint8Array | null {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  let at = body.indexOf(delimiter)
  for (let n = 0; n < MAX_PARTS && at >= 0; n++) {
    const from = at + delimiter.length
    const next = body.indexOf(delimiter, from)
    if (next < 0) return null
    const part = body.subarray(from, next)
    const head = part.indexOf('\r\n\r\n')
    if (head >= 0 && /^content-type[ \t]*:[ \t]*application\/sdp\b/im.test(part.toString('latin1', 0, head)))
      return withoutLastBreak(part.subarray(head + 4))
    at = next
  }
  return null
}

/** The line break before a delimiter belongs to the delimiter. */
function withoutLastBreak(part: Uint8Array): Uint8Array {
  const { length } = part
  return part[length - 2] === 0x0d && part[length - 1] === 0x0a ? part.subarray(0, length - 2) : part
}
