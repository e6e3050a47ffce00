import type { Static } from 'typebox'
import type { LadderView, TracedMessage } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { SipTrace, TraceEntry } from '#sip/trace.ts'
import { ladder } from '#sip/trace-ladder.ts'

/** The SIP messages of a call's dialogs in the order of time, and drawn as a ladder for a terminal. */
export function ladderOf(trace: SipTrace, facts: readonly Fact[]): Static<typeof LadderView> {
  const traced = tracedOf(trace, facts)
  return { messages: traced.map(({ leg, entry }) => present(entry, leg)), text: ladder(traced.map(({ entry }) => entry)) }
}

/** The SIP messages of a call's dialogs in the order of time, each with its leg. */
export function tracedOf(trace: SipTrace, facts: readonly Fact[]): { leg: string; entry: TraceEntry }[] {
  const started = facts.find((fact) => fact.kind === 'call.started')
  // A call refused before it had a leg is shown by who called.
  const caller = started?.from.number || 'caller'
  const legs = facts.flatMap((fact) =>
    fact.kind === 'call.refused' && fact.invite !== undefined
      ? [{ leg: caller, sip: fact.invite, tag: fact.tag }]
      : fact.kind === 'leg.started' && fact.sip !== undefined
        ? [{ leg: fact.leg, sip: fact.sip, tag: fact.tag }]
        : fact.kind === 'leg.redialled'
          ? [{ leg: fact.leg, sip: fact.sip, tag: undefined }]
          : [],
  )
  return legs
    .flatMap(({ leg, sip, tag }) =>
      trace
        .of(sip)
        .filter((entry) => isOf(tag, entry))
        .map((entry) => ({ leg, entry })),
    )
    .toSorted((a, b) => a.entry.at - b.entry.at)
}

/** Whether a message is of the dialog with this peer: a company's phone may write any Call-ID, another company's, too. */
function isOf(tag: string | undefined, { bytes }: TraceEntry): boolean {
  if (tag === undefined) return true
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return [...text.slice(0, text.indexOf('\r\n\r\n')).matchAll(/^(?:from|f|to|t)\s*:.*?;\s*tag\s*=\s*([^;\s]+)/gim)].some(
    (found) => found[1] === tag,
  )
}

function present(entry: TraceEntry, leg: string): TracedMessage {
  const { flow, at, direction, bytes } = entry
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return {
    at: Math.round(at),
    direction,
    leg,
    transport: flow.transport,
    local: `${flow.local.address}:${flow.local.port}`,
    remote: `${flow.remote.address}:${flow.remote.port}`,
    summary: summaryOf(text),
    text,
  }
}

function summaryOf(text: string): string {
  const first = text.slice(0, text.indexOf('\r\n') < 0 ? undefined : text.indexOf('\r\n')).slice(0, 120)
  const cseq = /^CSeq:\s*(.+)$/im.exec(text)?.[1]?.trim()
  const line = first.startsWith('SIP/2.0 ')
    ? `${first.slice('SIP/2.0 '.length)}${cseq === undefined ? '' : ` (${cseq})`}`
    : first.replace(/ SIP\/2\.0$/, '')
  return /\r\n\r\nv=0/.test(text) ? `${line} + SDP` : line
}
