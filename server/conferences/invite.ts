import { Call } from '#calls/call.ts'
import type { CallIdentity, CallNeeds } from '#calls/needs.ts'
import { Ring } from '#calls/ring.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import type { Conferences } from '#server/conferences/conferences.ts'
import type { Book } from '#server/dialplan/books.ts'
import type { Conduct } from '#server/dialplan/conduct.ts'

export interface InviteNeeds {
  readonly calls: CallNeeds
  readonly live: LiveCalls
  readonly conferences: Conferences
  readonly conduct: Conduct
}

/** Calls somebody in the name of a conference; whoever answers is in it. @returns their call, or why not in one sentence. */
export function invite(needs: InviteNeeds, book: Book, wish: { conference: string; to: string }): Call | { refused: string } {
  const { calls, live, conferences, conduct } = needs
  const conference = book.config.conferences.get(wish.conference)
  if (conference === undefined) return { refused: 'there is no such conference' }
  const { id, name } = conference
  const from = { number: conference.number ?? id, name }
  const asker: EndpointRef = { kind: 'api', id: `conference/${id}`, ...from }
  const identity: CallIdentity = { tenant: book.tenant, call: calls.random.hex(10), config: book.version, from, asker }
  const found = calls.directory.resolve(wish.to, identity)
  if ('refused' in found) return { refused: found.refused.detail ?? 'nobody has this number' }

  const call = new Call(calls, identity)
  live.add(call)
  const isOutside = found.plan.steps.some(({ targets }) => targets.some(({ kind }) => kind === 'external'))
  const to = { number: wish.to }
  call.tell({ kind: 'call.started', direction: isOutside ? 'outbound' : 'internal', from, to, config: book.version })
  const longest = book.config.settled.maxCallMinutes
  call.limit(longest * 60_000, { kind: 'too-long', by: 'us', detail: `the longest call is ${longest} minutes` })
  const [near] = conferences.find(book.tenant, id)?.members ?? []
  new Ring(call, found.plan, near?.leg ?? null, {
    onRinging: () => undefined,
    onAnswered: (leg) => {
      const wanted = conduct.roomOf(call, id, book.config)
      if (wanted !== null) conferences.invited(call, leg, wanted)
    },
    onUnanswered: (outcome) => call.end(outcome),
  })
  return call
}
