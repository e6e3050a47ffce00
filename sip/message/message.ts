import type { SipHeaders } from '#sip/message/headers.ts'

/**
 * SIP messages: start line, headers in order, body. They come from `parseMessage` (parse.ts) or from `buildRequest` and `buildResponse`
 * (build.ts), and become bytes with `serialize` (serialize.ts).
 */
export interface SipRequest {
  readonly kind: 'request'
  /** Case-sensitive token. */
  readonly method: string
  /** The Request-URI as on the wire. Parse it with `parseUri` (uri.ts). */
  uri: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

export interface SipResponse {
  readonly kind: 'response'
  /** 100 to 699. */
  readonly status: number
  readonly reason: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

export type SipMessage = SipRequest | SipResponse

export const NO_BODY: Uint8Array = new Uint8Array(0)
