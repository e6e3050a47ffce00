/** The Q.850 cause in a Reason header value (RFC 3326 §2), or null when it carries another protocol's. Total. */
export function q850Of(reason: string): number | null {
  const found = /(?:^|,)\s*Q\.850\s*(?:;[^,]*?)?;\s*cause\s*=\s*(\d{1,3})/i.exec(reason)
  const cause = found === null ? 0 : Number(found[1])
  return cause >= 1 && cause <= 127 ? cause : null
}

/** The SIP part of a Reason header we send: why a ringing phone was stopped. */
export const reasons = {
  /** Shows no missed call on the phones that understand it (RFC 3326 §3.1). */
  elsewhere: 'SIP;cause=200;text="Call completed elsewhere"',
  normal: 'Q.850;cause=16;text="Normal call clearing"',
  mediaLost: 'Q.850;cause=41;text="No audio arrived"',
  tooLong: 'Q.850;cause=31;text="The longest call allowed was reached"',
} as const
