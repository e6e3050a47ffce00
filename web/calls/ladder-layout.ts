import type { CallView, TracedMessage } from '#contract/api/calls.ts'
import { nameOf } from '#web/calls/status.ts'

/** A vertical line of the ladder: somebody who sends and receives SIP. */
export interface Column {
  /** Empty for ourselves. */
  leg: string
  /** Who it is; empty for ourselves. */
  name: string
  address: string
}

/** A message as an arrow between two columns, counted from 0. */
export interface Arrow {
  from: number
  to: number
  message: TracedMessage
  /** What a person reads on it: the method, or the status and its reason. */
  label: string
  hasSdp: boolean
  kind: 'request' | 'provisional' | 'success' | 'failure'
}

export interface Layout {
  columns: Column[]
  arrows: Arrow[]
}

/** Who called stands left of us, who was called right of us, in the order in which they came into the call. */
export function layOut(messages: readonly TracedMessage[], legs: CallView['legs']): Layout {
  const seen = [...new Set(messages.map((message) => message.leg))]
  // A call refused before it had a leg has only its caller.
  const isCaller = (leg: string): boolean => legs.length === 0 || legs.find((each) => each.leg === leg)?.role === 'caller'
  const order = [...seen.filter(isCaller), '', ...seen.filter((leg) => !isCaller(leg))]
  const columns = order.map((leg): Column => {
    const first = messages.find((message) => message.leg === leg || leg === '')
    const view = legs.find((each) => each.leg === leg)
    return { leg, name: view === undefined ? leg : nameOf(view), address: (leg === '' ? first?.local : first?.remote) ?? '' }
  })
  const us = order.indexOf('')
  const arrows = messages.map((message): Arrow => {
    const peer = order.indexOf(message.leg)
    const [from, to] = message.direction === 'in' ? [peer, us] : [us, peer]
    return { from, to, message, ...readSummary(message.summary) }
  })
  return { columns, arrows }
}

function readSummary(summary: string): Pick<Arrow, 'label' | 'hasSdp' | 'kind'> {
  const hasSdp = summary.endsWith(' + SDP')
  const line = hasSdp ? summary.slice(0, -' + SDP'.length) : summary
  const status = /^(\d)\d\d /.exec(line)?.[1]
  if (status === undefined) return { label: line.split(' ')[0] ?? line, hasSdp, kind: 'request' }
  // Which request a response answers only needs to be said when it is not the INVITE.
  const label = line.replace(/ \(\d+ INVITE\)$/, '').replace(/ \(\d+ (\w+)\)$/, ' · $1')
  return { label, hasSdp, kind: status === '1' ? 'provisional' : status === '2' ? 'success' : 'failure' }
}
