import { buildRequest } from '#sip/message/build.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'

/** The ACK for a failure response to our INVITE: same hop, same Via, To from the response (RFC 3261 §17.1.1.3). */
export function ackFor(invite: SipRequest, failure: SipResponse): SipRequest {
  return companion(invite, 'ACK', failure.headers.get('To') ?? '', [])
}

/** The CANCEL for our request: same hop, same Via, same To (RFC 3261 §9.1). `headers`: Reason, for instance. */
export function cancelFor(request: SipRequest, headers: HeaderLines): SipRequest {
  return companion(request, 'CANCEL', request.headers.get('To') ?? '', headers)
}

function companion({ uri, headers }: SipRequest, method: string, to: string, more: HeaderLines): SipRequest {
  return buildRequest({
    method,
    uri,
    headers: [
      ['Via', headers.get('Via') ?? ''],
      ...headers.lines('Route').map((route) => ['Route', route] as const),
      ['Max-Forwards', '70'],
      ['From', headers.get('From') ?? ''],
      ['To', to],
      ['Call-ID', headers.callId],
      ['CSeq', `${headers.cseq.seq} ${method}`],
      ...more,
    ],
  })
}
