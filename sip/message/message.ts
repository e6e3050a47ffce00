/** A SIP message: start line, headers in order, body. Typed views of headers are parsed when asked for, once. */
export interface SipHeaders {
  /** First value, unfolded and trimmed; compact names are understood both ways. */
  get(name: string): string | undefined
  /** Every value, one per header line or per element of a comma-separated list where the header's grammar is a list. */
  all(name: string): readonly string[]
}
export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}
export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}
