import type { Abilities } from '#sip/message/check.ts'

/** Types of parts that may hold the SDP of an INVITE. */
const SESSION_TYPES = ['application/sdp', 'multipart/mixed', 'multipart/related', 'multipart/alternative']

/** Methods that are served within dialogs. */
const DIALOG_METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO', 'PRACK', 'UPDATE', 'REFER', 'NOTIFY', 'MESSAGE']

/** What is served within a dialog. */
export const inDialog: Abilities = {
  methods: DIALOG_METHODS,
  extensions: ['path', '100rel', 'timer', 'replaces', 'norefersub'],
  accept: { INVITE: SESSION_TYPES, UPDATE: SESSION_TYPES, PRACK: SESSION_TYPES },
  schemes: ['sip', 'sips', 'tel'],
}

/** What is served within the dialog of a subscription. */
export const inEventDialog: Abilities = { ...inDialog, methods: ['SUBSCRIBE', 'ACK', 'CANCEL', 'OPTIONS'] }

/** What is served outside dialogs, beside the methods that the owner serves. */
export function outsideDialogs(ownMethods: readonly string[], registers: boolean): Abilities {
  const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', ...(registers ? ['REGISTER'] : [])]
  // BYE and UPDATE are known, but what comes outside a dialog matches none and gets 481; NOTIFY too, unless the owner asked for it.
  const all = [...methods, ...DIALOG_METHODS, ...ownMethods]
  return { ...inDialog, methods: [...new Set(all)] }
}

/** Allow of what is served within dialogs. */
export const ALLOW = DIALOG_METHODS.join(', ')
/** Accept of an INVITE. */
export const ACCEPT = SESSION_TYPES.join(', ')
/** Supported. */
export const SUPPORTED = inDialog.extensions.join(', ')
/** Supported of an INVITE of ours: a forking proxy may tell us of early dialogs that have ended (RFC 6228). */
export const SUPPORTED_BY_CALLER = `${SUPPORTED}, 199`

/** Methods whose requests and 2xx carry a Contact and refresh the peer's target (RFC 3261 §12.2, RFC 3311, RFC 3515, RFC 6665). */
export function isTargetRefresh(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE' || method === 'NOTIFY' || method === 'REFER' || method === 'SUBSCRIBE'
}
