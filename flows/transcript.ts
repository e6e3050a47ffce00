import { unreachable } from '#base/unreachable.ts'
import type { FlowBook } from '#flows/book.ts'
import type { FlowFact } from '#flows/types.ts'
import type { Transcript, TranscriptLine } from '#flows/simulator.ts'

/** A transcript as people read it: one line each, with the time since the call began and the words of prompts where they are known. */
export function renderTranscript(book: FlowBook, { lines, end }: Transcript): string {
  const rows = [...lines].sort((a, b) => a.ms - b.ms).map((line) => `${clock(line.ms)}  ${describe(book, line)}`)
  return [...rows, end === null ? 'still going on' : `${clock(end.ms)}  end: ${end.why} (${end.outcome.kind})`, ''].join('\n')
}

function describe(book: FlowBook, line: TranscriptLine): string {
  switch (line.is) {
    case 'answered':
      return 'the call is answered'
    case 'said':
      return `says ${line.prompts.map((id) => words(book, id)).join(' ')}${line.whole ? '' : ` (cut short after ${(line.spokenMs / 1000).toFixed(1)} s)`}`
    case 'pressed':
      return `the caller presses ${line.digit}`
    case 'ringing':
      return `rings ${line.targets.join(', ')} for ${line.ringMs / 1000} s`
    case 'rung':
      return line.by === undefined ? `nobody takes it: ${line.outcome}` : `${line.by} takes it`
    case 'recording':
      return `recording ${line.on ? 'on' : 'off'}`
    case 'hung-up':
      return line.by === 'caller' ? 'the caller hangs up' : `hangs up: ${line.outcome.kind}`
    case 'fact':
      return tell(line.fact)
    default:
      return unreachable(line)
  }
}

function tell(fact: FlowFact): string {
  switch (fact.kind) {
    case 'flow.entered':
      return `enters flow ${fact.flow}`
    case 'flow.stepped':
      return `${fact.via === undefined ? '' : `-- ${fact.via} --> `}${fact.node} (${fact.type})`
    case 'flow.left':
      return `leaves flow ${fact.flow}: ${fact.why}`
    case 'hours.decided':
      return `${fact.hours}: ${fact.state}, because of ${fact.because}`
    case 'menu.missed':
      return `${fact.why}, try ${fact.attempt}`
    case 'alarm.raised':
      return `ALARM ${fact.rule}: ${fact.detail}`
    default:
      return unreachable(fact)
  }
}

function words(book: FlowBook, id: string): string {
  const text = book.prompts.get(id)?.text
  return text === undefined ? `[${id}]` : `"${text.replaceAll(/\s+/g, ' ').trim()}"`
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}.${String(Math.floor((ms % 1000) / 100))}`
}
