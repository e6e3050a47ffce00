import type { Outcome } from '#contract/outcome.ts'
import type { Leg } from '#calls/leg.ts'
import type { CallIdentity, RingPlan } from '#calls/needs.ts'
import { parseNameAddr } from '#sip/message/name-addr.ts'
import { parseUri } from '#sip/message/uri.ts'

/** So often a call is sent on from one phone to the next. */
const MOST_FOLLOWED = 5

/** Somebody else to ring, in the name of who said so. */
export interface Followed {
  readonly plan: RingPlan
  readonly on: CallIdentity
}

/**
 * What phones and carriers answer with 3xx in one ring (RFC 3261 §8.1.3.4): followed by the rule of the directory, five times at most, and never to a
 * number that has been rung already.
 */
export class Redirects {
  readonly #seen: string[] = []
  #followed = 0

  /** These are rung anyway. */
  ringing(numbers: readonly string[]): void {
    for (const number of numbers) this.#seen.push(number)
  }

  /** Whom to ring instead of `leg`, who named these Contacts; or why nobody. The best of them that may be had is taken. */
  follow(leg: Leg, contacts: readonly string[]): Followed | Outcome {
    const { call, endpoint } = leg
    const to = numbersOf(contacts)
    const found = this.#find(leg, to)
    const refused = 'kind' in found
    call.tell({
      ...{ kind: 'leg.redirected', leg: leg.id, to, followed: !refused },
      ...(refused && { why: found.detail ?? found.kind }),
    })
    if (refused) return { ...found, detail: `${endpoint.number} forwards to ${to.join(', ')}: ${found.detail ?? found.kind}` }
    return found
  }

  #find({ call, endpoint }: Leg, to: readonly string[]): Followed | Outcome {
    if (to.length === 0) return unreachable('no number is named')
    if (this.#followed >= MOST_FOLLOWED) return unreachable(`more than ${MOST_FOLLOWED} forwards`)
    const on = { ...call.identity, asker: endpoint }
    let refused: Outcome = unreachable('a loop')
    for (const number of to) {
      if (this.#seen.includes(number)) continue
      const found = call.needs.directory.forward(number, endpoint, on)
      if ('refused' in found) {
        refused = found.refused
        continue
      }
      this.#seen.push(number)
      this.#followed++
      return { plan: found.plan, on }
    }
    return refused
  }
}

/** User parts of Contacts, as dialled, the most wanted first (RFC 3261 §20.10: q, else their order). */
function numbersOf(contacts: readonly string[]): string[] {
  const wanted = contacts.flatMap((text) => {
    const address = parseNameAddr(text)
    const uri = address === undefined ? undefined : parseUri(address.uri)
    const number = uri?.kind === 'sip' ? uri.user : uri?.kind === 'tel' ? uri.number : undefined
    const q = Number(/;\s*q\s*=\s*([01](?:\.\d{0,3})?)/i.exec(text)?.[1] ?? 1)
    return number === undefined || number === null || number === '' ? [] : [{ number, q }]
  })
  return wanted.toSorted((a, b) => b.q - a.q).map(({ number }) => number.slice(0, 64))
}

function unreachable(detail: string): Outcome {
  return { kind: 'unreachable', by: 'nobody', detail }
}
