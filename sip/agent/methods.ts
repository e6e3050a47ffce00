/** Methods of requests that may stand within a dialog here; for Allow in dialogs and INVITEs. */
export const DIALOG_METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'UPDATE', 'REFER', 'NOTIFY', 'MESSAGE'] as const

/** Methods that RFCs define and that we may meet. Anything else is unknown to us: 501 instead of 405 (RFC 3261 §8.2.1, §21.5.2). */
const KNOWN = new Set<string>([...DIALOG_METHODS, 'REGISTER', 'SUBSCRIBE', 'PUBLISH', 'PRACK'])

export const ALLOW_IN_DIALOG = DIALOG_METHODS.join(', ')

/** Body types that we understand in an INVITE. */
export const ACCEPTED_TYPES = 'application/sdp'

/** Option tags that we support. */
export const SUPPORTED: readonly string[] = ['path']

export function isKnownMethod(method: string): boolean {
  return KNOWN.has(method)
}

/** Methods whose requests and 2xx carry a Contact and refresh the peer's target (RFC 3261 §12.2, RFC 3311 §5, RFC 3515, RFC 6665). */
export function isTargetRefresh(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE' || method === 'NOTIFY' || method === 'REFER' || method === 'SUBSCRIBE'
}
