import { buildRequest } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** What a server transaction is known by, for tests. `branch` and `tag`: as they stand behind what they belong to, or ''. */
interface Parts {
  callId: string
  branch: string
  sentBy: string
  method: string
  tag: string
  seq: number
}

export function requestOf(is: Parts): SipRequest {
  return buildRequest({
    method: is.method,
    uri: 'sip:example.com',
    headers: [
      ['Via', `SIP/2.0/UDP ${is.sentBy}${is.branch}`],
      ['From', `<sip:a@example.com>${is.tag}`],
      ['To', '<sip:b@example.com>'],
      ['Call-ID', is.callId],
      ['CSeq', `${is.seq} ${is.method}`],
    ],
  })
}
