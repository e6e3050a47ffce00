import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import type { Fact } from '#contract/facts.ts'
import { rehearsalHeader } from '#server/calls/rehearsals.ts'
import type { Noticed } from '#server/demo-carrier/outside-call.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import type { ApiClient } from '#tools/lib/api-client.ts'
import { type CarrierCall, callThroughCarrier } from '#tools/lib/carrier-line.ts'
import { FactStream } from '#tools/lib/fact-stream.ts'
import { openApi } from '#tools/lib/installation.ts'
import { credentialsOf, ownServer } from '#tools/lib/phones.ts'
import { type PhoneManner, type PhoneNotice, SoftPhone } from '#tools/lib/soft-phone.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** A call from outside, as a test sees it. */
export interface CallFromOutside extends CarrierCall {
  /** Of the company's journal. */
  id: string
  /** What the caller noticed, in order. */
  noticed: Noticed[]
  /** Resolves when the caller has first said something to its end. */
  played: Promise<void>
  /** The facts of this call so far. */
  facts(): Fact[]
  /** The first fact of this call that is as wanted: of those told, or to come. */
  until(wanted: (fact: Fact) => boolean): Promise<Fact>
}

/** A whole system with the demo company, its API, its facts, and telephones inside and outside. Disposing closes all of it. */
export class DemoSystem implements AsyncDisposable {
  readonly running: RunningSystem
  readonly api: ApiClient
  readonly stream: FactStream
  #tapes = 0
  #open = new AsyncDisposableStack()

  private constructor(running: RunningSystem, api: ApiClient, stream: FactStream) {
    this.running = running
    this.api = api
    this.stream = stream
    this.#open.use(running)
    this.#open.use(stream)
  }

  static async start(more: Record<string, string> = {}): Promise<DemoSystem> {
    const running = await RunningSystem.start(more)
    const api = await openApi(running.settings, 'demo')
    return new DemoSystem(running, api, await FactStream.open(api.at))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#open.disposeAsync()
  }

  /** A phone of an extension, registered. `says`: a sound file that it plays over and over once it is answered. */
  async phone(
    extension: string,
    manner: (from: string) => PhoneManner,
    says?: string,
  ): Promise<{ phone: SoftPhone; notices: PhoneNotice[] }> {
    const notices: PhoneNotice[] = []
    const spec = {
      ...(await credentialsOf(this.api, extension)),
      server: ownServer(this.running.settings),
      manner,
      script: { digits: [], plays: [], hangUpAfterMs: null },
      says: says === undefined ? [] : [{ kind: 'file' as const, file: says }],
      tape: (call: number) => join(this.running.settings.folders.data, `${extension}-${call}.wav`),
    }
    const phone = await SoftPhone.open({ clock: systemClock, random: machineRandom() }, spec, (notice) => void notices.push(notice))
    this.#open.use(phone)
    await phone.registered
    return { phone, notices }
  }

  /** Calls in through the demo carrier; resolves when the exchange knows the call. `at`: the local time it pretends. */
  async callIn(to: string, from: string, at: string): Promise<CallFromOutside> {
    const { ticket } = await this.api.send<{ ticket: string }>('POST', '/v1/rehearsals', { body: { at } })
    const { data, run } = this.running.settings.folders
    const noticed: Noticed[] = []
    const played = Promise.withResolvers<void>()
    const notice = (each: Noticed): void => {
      noticed.push(each)
      if (each.kind === 'played') played.resolve()
    }
    const line = callThroughCarrier(
      run,
      {
        ...{ to, from },
        script: { digits: [], plays: [], hangUpAfterMs: null },
        ringMs: 60_000,
        headers: [[rehearsalHeader, ticket]],
        tape: join(data, `tape-${++this.#tapes}.wav`),
      },
      { notice, away: () => new Error('the demo carrier does not answer') },
    )
    const callId = await line.callId
    const leg = await this.stream.until((fact) => fact.kind === 'leg.started' && fact.sip === callId)
    const ours = (fact: Fact): boolean => fact.call !== undefined && fact.call === leg.call
    return {
      ...line,
      id: leg.call ?? '',
      noticed,
      played: played.promise,
      facts: () => this.stream.facts.filter(ours),
      until: (wanted) => this.stream.until((fact) => ours(fact) && wanted(fact)),
    }
  }

  /** The attachments of every message in the company's outbox, by file name. */
  async mailed(): Promise<Map<string, Uint8Array>> {
    const folder = join(this.running.settings.mail.outbox, 'demo')
    const found = new Map<string, Uint8Array>()
    for (const name of (await readdir(folder)).filter((each) => each.endsWith('.eml'))) {
      for (const [file, bytes] of attachmentsOf(await readFile(join(folder, name), 'utf8'))) found.set(file, bytes)
    }
    return found
  }
}

/** Attachments of a message (RFC 2045, 2183): what a mail program would offer to save. */
function attachmentsOf(message: string): [name: string, bytes: Uint8Array][] {
  const boundary = /boundary="([^"]+)"/.exec(message)?.[1]
  if (boundary === undefined) return []
  return message.split(`--${boundary}`).flatMap((part) => {
    const [head = '', body = ''] = part.split(/\r?\n\r?\n/, 2)
    const name = /filename="?([^"\r\n;]+)"?/.exec(head)?.[1]
    return name === undefined || !/base64/i.test(head) ? [] : [[name, new Uint8Array(Buffer.from(body, 'base64'))]]
  })
}
