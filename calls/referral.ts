import type { Body, IncomingRequest } from '#sip/agent.ts'
import type { Leg } from '#calls/leg.ts'

/** A peer's request to connect its other party elsewhere (RFC 3515): whom, and a way to tell it how that goes. */
export interface Referral {
  /** The user part of Refer-To, as dialled. */
  readonly to: string
  /** Tells the progress to the transferor as a `message/sipfrag` NOTIFY; the subscription ends with a final status (RFC 3515 §2.4.5). */
  notify(status: number, reason: string): void
}

/** Reads a REFER. A refusal is a SIP status: 400 without one usable Refer-To, 420-like cases are the agent's. */
export function referralOf(incoming: IncomingRequest, leg: Leg): Referral | { status: number; reason: string } {
  const targets = incoming.request.headers.all('Refer-To')
  const target = targets[0]
  if (target === undefined || targets.length !== 1) return { status: 400, reason: 'Exactly one Refer-To is needed' }
  const uri = /<([^>]*)>/.exec(target)?.[1] ?? target
  if (/[?&]replaces=/i.test(uri)) return { status: 501, reason: 'Attended transfer is not supported yet' }
  const to = /^(?:sips?:([^@;?]+)@|tel:([^;?]+))/i.exec(uri.trim())
  const dialled = to?.[1] ?? to?.[2]
  if (dialled === undefined) return { status: 400, reason: 'Refer-To names nobody to call' }
  const id = /^\d+/.exec(incoming.request.headers.get('CSeq') ?? '')?.[0] ?? '1'
  return {
    to: unescaped(dialled),
    notify(status, reason) {
      const over = status >= 200
      const body: Body = { contentType: 'message/sipfrag;version=2.0', bytes: Buffer.from(`SIP/2.0 ${status} ${reason}\r\n`) }
      const state = over ? 'terminated;reason=noresource' : 'active;expires=60'
      if (leg.state !== 'talking') return
      void leg.dialog?.request(
        'NOTIFY',
        [
          ['Event', `refer;id=${id}`],
          ['Subscription-State', state],
        ],
        body,
      )
    },
  }
}

function unescaped(user: string): string {
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
