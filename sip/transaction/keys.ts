import { MAX_ID_LENGTH } from '#sip/message/limits.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { beginningOf } from '#sip/message/text.ts'
import { MAGIC_COOKIE, type Via } from '#sip/message/via.ts'

/**
 * What a request and its retransmissions have in common and no other request has (RFC 3261 §17.2.3): branch, sent-by and method, an ACK
 * counting as the INVITE. The Call-ID counts too: it is the same in all of them, and tells apart what senders with poor branches
 * send (RFC 4475 holds several). Without the magic cookie: RFC 2543's fields, To tag left out, since an ACK carries one that its INVITE has not.
 */
export function serverKey(request: SipRequest, method = request.method === 'ACK' ? 'INVITE' : request.method): string {
  const { via, callId } = request.headers
  return hasCookie(via.branch)
    ? keyOf({ branch: via.branch, host: via.host, port: via.port, callId, method })
    : oldKey(request, via, method)
}

/** As `serverKey`, of its parts. */
export function keyOf(parts: { branch: string; host: string; port: number | undefined; callId: string; method: string }): string {
  return `${parts.branch}|${parts.host}:${parts.port ?? ''}|${parts.callId}|${parts.method}`
}

/** What two copies of one request have in common that reached us over different paths (RFC 3261 §8.2.2.2). */
export function mergeKey({ headers }: SipRequest): string {
  const { callId, from, cseq } = headers
  return mergeKeyOf({ callId, fromTag: from.tag ?? '', seq: cseq.seq, method: cseq.method })
}

/** As `mergeKey`, of its parts. */
export function mergeKeyOf(parts: { callId: string; fromTag: string; seq: number; method: string }): string {
  return `${parts.callId}|${parts.fromTag}|${parts.seq} ${parts.method}`
}

export function hasCookie(branch: string | undefined): branch is string {
  return branch !== undefined && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE)
}

export function oldKey({ uri, headers }: SipRequest, via: Via, method: string): string {
  const sentBy = `${via.host}:${via.port ?? ''};${via.branch ?? ''}`
  // Up to what texts may be found by; two that differ only behind it come from nobody.
  return `${beginningOf(uri, MAX_ID_LENGTH)}|${headers.from.tag ?? ''}|${headers.callId}|${headers.cseq.seq}|${sentBy}|${method}`
}
