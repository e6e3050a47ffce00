import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Millis, systemClock } from '#base/clock.ts'
import type { Fact } from '#contract/facts.ts'
import { rehearsalHeader } from '#server/calls/rehearsals.ts'
import type { Noticed, OutsideCall } from '#server/demo-carrier/outside-call.ts'
import { describeBadSound, readSound } from '#media/file/read-sound.ts'
import type { Settings } from '#server/settings.ts'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { type CarrierCall, callThroughCarrier } from '#tools/lib/carrier-line.ts'
import { FactStream } from '#tools/lib/fact-stream.ts'
import { hear, promptBook, transcript } from '#tools/lib/heard.ts'
import { notRunning, openApi, ownSettings } from '#tools/lib/installation.ts'
import { bringUp, credentialsOf, noticeText, ownServer } from '#tools/lib/phones.ts'
import type { SoftPhone } from '#tools/lib/soft-phone.ts'
import { timelineText } from '#tools/lib/timeline.ts'
import { runCommand, Trouble } from '#tools/lib/trouble.ts'
import { keys, number, seconds, timed } from '#tools/lib/words.ts'

const usage = `Usage: npx centrala call <number> [options]

Calls in from outside through the demo carrier and shows what happened.

  --digits 102@4        presses keys so many seconds after the answer (may be repeated; default 1 s)
  --play file.wav@2     speaks a WAV file (may be repeated; default at once)
  --at 2026-11-21T20:00 pretends another date and time, in the company's time zone
  --from +79161234567   who calls
  --phone 100=5         an extension's phone that rings during the call and is answered after so many seconds;
                        --phone 100 rings and is never answered (may be repeated)
  --hang-up-after 30    hangs up so many seconds after the answer; otherwise 5 s after somebody has taken the call
  --save heard.wav      keeps what was heard
  --company demo        where there are several`

/** How long after being joined with somebody the caller hangs up, unless told otherwise. */
const talkMs = 5_000
/** No call from the terminal is longer, however it was asked for. */
const longestMs = 300_000
/** After the end, what still belongs to the call (its recording, its mail) is waited for so long. */
const aftermathMs = 4_000

async function main(words: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      digits: { type: 'string', multiple: true, default: [] },
      play: { type: 'string', multiple: true, default: [] },
      at: { type: 'string' },
      from: { type: 'string', default: '+79161234567' },
      phone: { type: 'string', multiple: true, default: [] },
      'hang-up-after': { type: 'string' },
      save: { type: 'string' },
      company: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help || positionals.length !== 1) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const settings = ownSettings()
  const api = await openApi(settings, values.company)
  const hangUpAfter = values['hang-up-after']
  await using folder = await temporaryFolder()
  const call: OutsideCall = {
    to: number(positionals[0] ?? ''),
    from: number(values.from),
    script: {
      digits: values.digits.map((word) => timed(word, 1)).map(({ what, atMs }) => ({ digits: keys(what, '--digits'), atMs })),
      plays: await Promise.all(values.play.map((word) => playOf(word))),
      hangUpAfterMs: hangUpAfter === undefined ? longestMs : seconds(hangUpAfter, '--hang-up-after') * 1000,
    },
    ringMs: longestMs,
    headers: values.at === undefined ? [] : [[rehearsalHeader, await ticketFor(api, values.at)]],
    tape: values.save === undefined ? join(folder.path, 'heard.wav') : resolve(values.save),
  }
  // One clock for the call and the phones, whose lines stand among each other. It begins with the call.
  const begin = { at: systemClock.now() }
  await using phones = new AsyncDisposableStack()
  for (const word of values.phone) phones.use(await phoneOf(word, { api, settings, begin }))
  return await follow(call, { settings, api, begin, patient: hangUpAfter !== undefined })
}

/** Makes the call, says what happens, and tells its story when it is over. */
async function follow(
  call: OutsideCall,
  on: { settings: Settings; api: ApiClient; begin: { at: Millis }; patient: boolean },
): Promise<number> {
  const { settings, api, begin } = on
  using stream = await FactStream.open(api.at)
  begin.at = systemClock.now()
  let answered = false
  let tapeFromMs = 0
  const notice = (noticed: Noticed): void => {
    if (!answered && (noticed.kind === 'answered' || (noticed.kind === 'progress' && noticed.earlyMedia))) tapeFromMs = noticed.atMs
    answered ||= noticed.kind === 'answered'
    say(noticed.atMs, `caller: ${textOf(noticed)}`)
  }
  say(0, `calling ${call.to} as ${call.from}`)
  const line = callThroughCarrier(settings.folders.run, call, { notice, away: () => carrierAway(settings) })
  process.on('SIGINT', () => line.hangUp())
  const ours = new OwnCall(stream, call.from)
  void line.callId.then(
    (callId) => ours.has(callId),
    () => undefined,
  )
  using _ = stream.on((fact) => {
    if (on.patient || fact.kind !== 'bridge.joined' || !ours.is(fact)) return
    say(systemClock.now() - begin.at, `somebody has taken the call; the caller hangs up in ${talkMs / 1000} s`)
    systemClock.after(talkMs, () => line.hangUp())
  })
  const tape = await line.done
  await aftermath(ours, stream)
  await report({ api, id: ours.id, tape, tapeFromMs, line })
  return answered ? 0 : 1
}

/** Finds the facts of our own call among those of the company. */
class OwnCall {
  readonly #stream: FactStream
  readonly #from: string
  #callId: string | null = null

  constructor(stream: FactStream, from: string) {
    this.#stream = stream
    this.#from = from
  }

  has(callId: string): void {
    this.#callId = callId
  }

  /** Null while the exchange has told nothing of it. A call refused at the door has no leg: then who called says which it is. */
  get id(): string | null {
    const { facts } = this.#stream
    const leg = facts.find((fact) => fact.kind === 'leg.started' && fact.sip === this.#callId)
    const started = leg ?? facts.findLast((fact) => fact.kind === 'call.started' && fact.from.number === this.#from)
    return started?.call ?? null
  }

  is(fact: Fact): boolean {
    return fact.call !== undefined && fact.call === this.id
  }
}

/** Waits for the end of the call's facts: also its recording and the mail with it. */
async function aftermath(ours: OwnCall, stream: FactStream): Promise<void> {
  const isOver = (): boolean => {
    const facts = stream.facts.filter((fact) => ours.is(fact))
    const has = (...kinds: Fact['kind'][]): boolean => facts.some((fact) => kinds.includes(fact.kind))
    if (!has('call.ended')) return false
    return !has('recording.started') || has('recording.mailed', 'recording.failed')
  }
  if (isOver()) return
  const late = Promise.withResolvers<void>()
  using _ = systemClock.after(aftermathMs, () => late.resolve())
  await Promise.race([late.promise, stream.until(isOver)])
}

interface Report {
  api: ApiClient
  id: string | null
  tape: string | null
  /** From the beginning of the call to that of the tape. */
  tapeFromMs: number
  line: CarrierCall
}

async function report({ api, id, tape, tapeFromMs, line }: Report): Promise<void> {
  if (id === null) console.log(`\nThe exchange has no record of the call (SIP Call-ID ${await line.callId}).`)
  else {
    const { facts } = await api.get<{ facts: Fact[] }>(`/v1/calls/${id}/timeline`)
    const { text } = await api.get<{ text: string }>(`/v1/calls/${id}/ladder`)
    section(`What happened (call ${id})`, timelineText(facts))
    section('SIP ladder, as the exchange saw it', text.split('\n'))
  }
  if (tape === null) console.log('\nNothing was heard.')
  else {
    const book = await promptBook(api)
    section('What the caller heard', transcript(await hear(tape, book), book, tapeFromMs))
  }
}

function section(title: string, lines: readonly string[]): void {
  console.log(`\n${title}\n`)
  for (const line of lines) console.log(`  ${line}`)
}

function say(atMs: number, text: string): void {
  console.log(`${(atMs / 1000).toFixed(3).padStart(9)}  ${text}`)
}

function textOf(noticed: Noticed): string {
  switch (noticed.kind) {
    case 'progress':
      return `${noticed.status} ${noticed.reason}${noticed.earlyMedia ? ', with sound' : ''}`
    case 'answered':
      return 'answered'
    case 'played':
      return 'has said it'
    case 'refused':
      return noticed.status === null ? noticed.reason : `refused, ${noticed.status} ${noticed.reason}`
    case 'ended':
      return noticed.by === 'caller' ? 'hangs up' : 'is hung up on'
  }
}

async function playOf(word: string): Promise<{ file: string; atMs: number }> {
  const { what, atMs } = timed(word, 0)
  const file = resolve(what)
  const sound = await readSound(file)
  if (sound.kind === 'bad-sound') throw new Trouble(`--play ${describeBadSound(sound)}`)
  return { file, atMs }
}

async function ticketFor(api: ApiClient, at: string): Promise<string> {
  const { ticket } = await api.send<{ ticket: string }>('POST', '/v1/rehearsals', { body: { at } })
  return ticket
}

async function phoneOf(word: string, on: { api: ApiClient; settings: Settings; begin: { at: Millis } }): Promise<SoftPhone> {
  const [extension = '', after] = word.split('=')
  const credentials = await credentialsOf(on.api, extension)
  return bringUp(
    {
      ...credentials,
      server: ownServer(on.settings),
      manner: () => (after === undefined ? { kind: 'rings' } : { kind: 'answers', afterMs: seconds(after, '--phone') * 1000 }),
      script: { digits: [], plays: [], hangUpAfterMs: null },
      says: [
        { kind: 'tone', tone: 'beep', ms: 400 },
        { kind: 'silence', ms: 600 },
      ],
      tape: null,
    },
    (notice) => {
      if (notice.kind !== 'registered') say(systemClock.now() - on.begin.at, `phone ${extension} ${noticeText(notice)}`)
    },
  )
}

function carrierAway(settings: Settings): Trouble {
  if (settings.demoCarrier.enabled) return notRunning(settings)
  return new Trouble('The demo carrier is switched off (CENTRALA_DEMO_CARRIER); with a real trunk, call the number from any telephone.')
}

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'centrala-call-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

await runCommand(main)
