import { Call } from '#calls/call.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { Ring } from '#calls/ring.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { Conduct } from '#server/dialplan/conduct.ts'
import { decideInside } from '#server/dialplan/decide.ts'
import { planOf } from '#server/dialplan/plan.ts'
import { answeredLeg } from '#server/flows/ringing.ts'

export interface OriginateNeeds {
  calls: CallNeeds
  books: Books
  live: LiveCalls
  conduct: Conduct
  callLimit: number
}

/** Why a call was not begun. */
export type NotOriginated = { refused: 'no-such-extension' | 'not-a-phone' | 'wrong-number' | 'overloaded'; detail: string }

/** How long somebody's own phone rings when they clicked to call. */
const ownPhoneMs = 30_000

/**
 * Calls a person's own phones, and when one is answered, whom they want to reach: click to call. The call is theirs in every respect;
 * permissions and caps are those of the phone that was answered.
 */
export function originate(needs: OriginateNeeds, wish: { tenant: string; extension: string; to: string }): Call | NotOriginated {
  const book = needs.books.current(wish.tenant)
  const extension = book?.config.extensions.get(wish.extension)
  if (book === null || extension === undefined) return { refused: 'no-such-extension', detail: `there is no extension ${wish.extension}` }
  const plan = planOf(book.config, { target: extension.target, extension })
  const device = plan?.steps.flatMap((s) => s.targets).find((t) => t.kind === 'device')
  if (plan === null || device?.kind !== 'device') return { refused: 'not-a-phone', detail: `extension ${wish.extension} is not a phone` }
  const route = decideInside(book.config, wish.to)
  if (route.kind === 'refused') return { refused: 'wrong-number', detail: route.outcome.detail ?? 'nobody has this number' }
  if (needs.live.size >= needs.callLimit) return { refused: 'overloaded', detail: 'all lines are in use' }

  const name = book.config.devices.get(device.id)?.name
  const asker: EndpointRef = { kind: 'device', id: device.id, number: extension.number, ...(name !== undefined && { name }) }
  const from = { number: extension.number, ...(name !== undefined && { name }) }
  const inside = route.kind === 'target'
  // The phone shows whom it is about to reach.
  const call = new Call(needs.calls, { tenant: book.tenant, call: needs.calls.random.hex(10), config: book.version, from, asker })
  needs.live.add(call)
  call.tell({ kind: 'call.started', direction: inside ? 'internal' : 'outbound', from, to: { number: wish.to }, config: book.version })
  const longest = book.config.settled.maxCallMinutes
  call.limit(longest * 60_000, { kind: 'too-long', by: 'us', detail: `the longest call is ${longest} minutes` })
  new Ring(call, { steps: plan.steps.map((step) => ({ ...step, ms: ownPhoneMs })), as: 'caller', namePrefix: `→ ${wish.to}` }, null, {
    onRinging: () => undefined,
    onAnswered: (leg) =>
      needs.conduct.begin(call, answeredLeg(leg), {
        route,
        config: book.config,
        dialled: wish.to,
        direction: inside ? 'internal' : 'outbound',
        clock: needs.calls.clock,
      }),
    onUnanswered: ({ detail }) => call.end({ kind: 'not-begun', by: 'caller', ...(detail !== undefined && { detail }) }),
  })
  return call
}
