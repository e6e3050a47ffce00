import type { Body, IncomingRequest } from '#sip/agent.ts'
import type { Leg } from '#calls/leg.ts'
import { type Replaces, replacesOfUri } from '#sip/dialog/replaces.ts'
import { formatNameAddr, parseNameAddr } from '#sip/message/name-addr.ts'

/** A peer's request to connect its other party elsewhere (RFC 3515): whom with, and a way to tell it how that goes. */
export interface Referral {
  /** The user part of Refer-To, as dialled. */
  readonly to: string
  /** The party of this dialog of the transferor's is meant: an attended transfer (RFC 5589 §7). Null: somebody is to be called. */
  readonly replaces: Replaces | null
  /** Referred-By as it came (RFC 3892); null: none. */
  readonly referredBy: string | null
  /** The transferor does not want to be told (RFC 4488). */
  readonly isQuiet: boolean
  /** Tells the progress to the transferor as a `message/sipfrag` NOTIFY; the subscription ends with a final status (RFC 3515 §2.4.5). */
  notify(status: number, reason: string): void
}

/** Reads a REFER. A refusal is a SIP status: 400 without one usable Refer-To; extensions we lack are the agent's to refuse. */
export function referralOf(incoming: IncomingRequest, leg: Leg): Referral | { status: number; reason: string } {
  const { headers } = incoming.request
  const targets = headers.all('Refer-To')
  const target = targets[0]
  if (target === undefined || targets.length !== 1) return { status: 400, reason: 'Exactly one Refer-To is needed' }
  const uri = (/<([^>]*)>/.exec(target)?.[1] ?? target).trim()
  const replaces = replacesOfUri(uri)
  if (replaces === 'bad') return { status: 400, reason: 'The Replaces in Refer-To names no dialog' }
  const to = /^(?:sips?:([^@;?]+)@|tel:([^;?]+))/i.exec(uri)
  const dialled = to?.[1] ?? to?.[2] ?? (replaces === null ? undefined : '')
  if (dialled === undefined) return { status: 400, reason: 'Refer-To names nobody to call' }
  const isQuiet = headers.get('Refer-Sub')?.trim().toLowerCase() === 'false'
  return {
    to: unescaped(dialled),
    replaces,
    referredBy: referredByOf(headers.get('Referred-By')),
    isQuiet,
    notify: notifier(headers.cseq.seq, leg, isQuiet),
  }
}

/** Somebody else than the transferor's phone asks for it: nobody is told of the progress. */
export function silentReferral(to: string): Referral {
  return { to, replaces: null, referredBy: null, isQuiet: true, notify: () => undefined }
}

function notifier(id: number, leg: Leg, isQuiet: boolean): Referral['notify'] {
  return (status, reason) => {
    if (isQuiet || leg.state !== 'talking') return
    const body: Body = { contentType: 'message/sipfrag;version=2.0', bytes: Buffer.from(`SIP/2.0 ${status} ${reason}\r\n`) }
    const state = status >= 200 ? 'terminated;reason=noresource' : 'active;expires=60'
    void leg.dialog?.request(
      'NOTIFY',
      [
        ['Event', `refer;id=${id}`],
        ['Subscription-State', state],
      ],
      body,
    )
  }
}

/** Only who it was is passed on: a signature over the REFER (RFC 3892 §2.1 `cid`) proves nothing about our INVITE. */
function referredByOf(text: string | undefined): string | null {
  const address = text === undefined ? undefined : parseNameAddr(text)
  return address === undefined ? null : formatNameAddr({ display: address.display, uri: address.uri })
}

function unescaped(user: string): string {
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
