import type { CallRow } from '#server/history/index.ts'
import type { RecordingMailWish, RecordingRow } from '#server/recordings/face.ts'

/** What a mail about a recording says. */
export interface MailText {
  readonly subject: string
  readonly text: string
  /** Of the attachment. */
  readonly filename: string
}

interface Words {
  locale: string
  subject: (from: string, to: string) => string
  from: string
  to: string
  when: string
  duration: string
  direction: string
  directions: Record<CallRow['direction'], string>
  answeredBy: string
  nobody: string
  recording: string
}

const words: Record<RecordingMailWish['language'], Words> = {
  en: {
    locale: 'en-GB',
    subject: (from, to) => `Recording: ${from} to ${to}`,
    from: 'From',
    to: 'To',
    when: 'Time',
    duration: 'Length of the recording',
    direction: 'Call',
    directions: { inbound: 'incoming', outbound: 'outgoing', internal: 'internal' },
    answeredBy: 'Answered by',
    nobody: 'nobody',
    recording: 'The recording is attached.',
  },
  ru: {
    locale: 'ru-RU',
    subject: (from, to) => `Запись разговора: ${from} → ${to}`,
    from: 'Кто звонил',
    to: 'Куда',
    when: 'Время',
    duration: 'Длительность записи',
    direction: 'Звонок',
    directions: { inbound: 'входящий', outbound: 'исходящий', internal: 'внутренний' },
    answeredBy: 'Ответил',
    nobody: 'никто',
    recording: 'Запись во вложении.',
  },
}

/** Who called whom, when and for how long, in the company's language and time zone. `call` is null when its row is lost. */
export function recordingMail(recording: RecordingRow, call: CallRow | null, wish: RecordingMailWish): MailText {
  const w = words[wish.language]
  const from = call === null ? '?' : named(call.from.number, call.from.name)
  const to = call?.to.number ?? '?'
  const at = call?.startedAt ?? recording.startedAt
  const lines: [string, string][] = [
    [w.from, from],
    [w.to, to],
    [w.when, new Intl.DateTimeFormat(w.locale, { timeZone: wish.timeZone, dateStyle: 'full', timeStyle: 'long' }).format(at)],
    [w.duration, duration(recording.ms)],
  ]
  if (call !== null) {
    lines.push([w.direction, w.directions[call.direction]])
    lines.push([w.answeredBy, call.answeredBy === null ? w.nobody : named(call.answeredBy.number, call.answeredBy.name)])
  }
  const text = `${wish.company}\n\n${lines.map(([label, value]) => `${label}: ${oneLine(value)}`).join('\n')}\n\n${w.recording}\n`
  return { subject: oneLine(w.subject(from, to)), text, filename: filename(at, call, wish.timeZone) }
}

function named(number: string, name: string | undefined): string {
  return name === undefined || name === '' || name === number ? number : `${name} (${number})`
}

/** `h:mm:ss`, or `m:ss` below an hour. */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

function filename(at: number, call: CallRow | null, timeZone: string): string {
  const time = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  const stamp = time.toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', '_').replaceAll(':', '-')
  const who = call === null ? '' : `_${call.from.number}_${call.to.number}`
  return `${stamp}${who.replace(/[^0-9A-Za-z+_-]/g, '')}.ogg`
}

/** Names come from strangers' phones. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
