import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import { type Log, silentLog } from '#base/log.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { EngineRefused, type LocalEngine, openLocalEngine } from '#media/engine/local.ts'
import type { PlayItem } from '#media/engine.ts'
import { Party, type Script } from '#server/demo-carrier/party.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import type { IncomingInvite, SipAgent } from '#sip/agent.ts'
import { Registration, type RegistrationDown } from '#sip/registrar/registration.ts'

/** Answers or declines (486) after ringing for so long, or rings until the caller gives up. */
export type PhoneManner = { kind: 'answers'; afterMs: number } | { kind: 'declines'; afterMs: number } | { kind: 'rings' }

export interface PhoneSpec {
  server: { transport: 'udp' | 'tcp'; address: string; port: number }
  domain: string
  user: string
  password: string
  /** What it does with a call from this number. */
  manner: (from: string) => PhoneManner
  script: Script
  /** What it says while it plays nothing of its script, over and over; empty: nothing, like a phone whose microphone is off. */
  says: readonly PlayItem[]
  /** Where to write what it hears in its n-th call, as WAV; null: nowhere. */
  tape: ((call: number) => string) | null
}

/** What happens to a phone. */
export type PhoneNotice =
  | { kind: 'registered'; seconds: number }
  | { kind: 'not-registered'; down: RegistrationDown }
  | { kind: 'ringing'; from: string }
  | { kind: 'answered' }
  | { kind: 'declined' }
  /** `reason`: the caller's own word, such as `Call completed elsewhere`. */
  | { kind: 'stopped-ringing'; reason: string | null }
  | { kind: 'digit'; digit: string }
  | { kind: 'ended'; by: 'phone' | 'exchange'; tape: string | null }

export interface PhoneNeeds {
  clock: Clock
  random: Random
  log?: Log
}

/** A small SIP phone without a body: registers, rings, answers, plays, has on tape what it heard. Disposing hangs up and takes the registration away. */
export class SoftPhone implements AsyncDisposable {
  readonly #needs: PhoneNeeds
  readonly #spec: PhoneSpec
  readonly #notice: (notice: PhoneNotice) => void
  readonly #engine: LocalEngine
  readonly #address: string
  readonly #registered = Promise.withResolvers<void>()
  #lines = new Set<{ party: Party; stop: () => void }>()
  #agent: SipAgent | null = null
  #registration: Registration | null = null
  #calls = 0

  private constructor(
    needs: PhoneNeeds,
    spec: PhoneSpec,
    notice: (notice: PhoneNotice) => void,
    at: { engine: LocalEngine; address: string },
  ) {
    this.#needs = needs
    this.#spec = spec
    this.#notice = notice
    this.#engine = at.engine
    this.#address = at.address
  }

  /** Brings the phone up; it is registered when `registered` resolves. Throws ListenError or EngineRefused where the machine has no port. */
  static async open(needs: PhoneNeeds, spec: PhoneSpec, notice: (notice: PhoneNotice) => void): Promise<SoftPhone> {
    const address = await addressTowards(spec.server.address)
    const phone = new SoftPhone(needs, spec, notice, { engine: await engineAt(needs, address), address })
    await phone.#start()
    return phone
  }

  /** Resolves when the exchange has taken the registration; rejects when it refuses it for good (a wrong password). */
  get registered(): Promise<void> {
    return this.#registered.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of [...this.#lines]) line.stop()
    await this.#registration?.stop()
    await this.#agent?.close()
    await this.#engine[Symbol.asyncDispose]()
  }

  async #start(): Promise<void> {
    const { clock, random, log = silentLog } = this.#needs
    const { server, domain, user, password } = this.#spec
    const at = [{ address: this.#address, port: 0, setting: 'the port of the phone' }]
    const { agent } = simpleAgent({
      ...{ clock, random, log },
      listen: { udp: at, tcp: at },
      product: 'Centrala phone',
      onInvite: (incoming) => this.#rings(incoming),
    })
    await agent.start()
    this.#agent = agent
    this.#registration = new Registration(
      { clock, random, agent },
      {
        registrar: `sip:${domain}`,
        aor: `<sip:${user}@${domain}>`,
        contactUser: user,
        via: () => server,
        credentials: { user, password },
        expires: 300,
      },
      {
        onUp: (seconds) => {
          this.#notice({ kind: 'registered', seconds })
          this.#registered.resolve()
        },
        onDown: (down) => {
          this.#notice({ kind: 'not-registered', down })
          this.#registered.reject(new Error(`${user} could not register: ${down.detail}`))
        },
      },
    )
    // A failure is told to `notice`; only who waits for the registration must handle it again.
    this.#registered.promise.catch(() => undefined)
    this.#registration.start()
  }

  #rings(incoming: IncomingInvite): void {
    const media = LegMedia.open(this.#mediaNeeds(), { peer: incoming.flow.remote.address })
    const offer = bodyOf(incoming.request)
    const answer = media === null ? null : offer === null ? media.offer() : media.answer(offer)
    if (media === null || answer === null || 'refused' in answer) {
      media?.close()
      incoming.reject(answer === null ? 480 : 488)
      return
    }
    const { clock } = this.#needs
    const { script, manner, tape } = this.#spec
    const { from } = incoming.request.headers
    const number = from.parsed.kind === 'sip' ? (from.parsed.user ?? 'anonymous') : 'anonymous'
    const does = manner(number)
    const party = new Party({ ...this.#mediaNeeds(), clock }, { media, script, onEnded: (why) => this.#over(line, why.kind === 'hung-up') })
    const timer = does.kind === 'rings' ? null : clock.after(does.afterMs, () => (does.kind === 'answers' ? pickUp() : decline()))
    const pickUp = (): void => {
      const file = tape?.(++this.#calls)
      if (file !== undefined) party.tape(file)
      ringing = false
      party.begin(incoming.accept(answer, party.dialogEvents()))
      if (this.#spec.says.length > 0) media.endpoint.play(this.#spec.says, { loop: true })
      this.#notice({ kind: 'answered' })
    }
    const silence = (): void => {
      timer?.[Symbol.dispose]()
      party.close()
      this.#lines.delete(line)
    }
    const decline = (): void => {
      silence()
      incoming.reject(486)
      this.#notice({ kind: 'declined' })
    }
    let ringing = true
    const line = {
      party,
      stop: () => {
        if (!ringing) return party.hangUp()
        silence()
        incoming.reject(480)
      },
    }
    this.#lines.add(line)
    media.attach({ onDigit: (digit) => this.#notice({ kind: 'digit', digit }) })
    incoming.onCancelled = (reason) => {
      silence()
      this.#notice({ kind: 'stopped-ringing', reason: reason === null ? null : (/text="([^"]*)"/.exec(reason)?.[1] ?? reason) })
    }
    incoming.progress(180)
    this.#notice({ kind: 'ringing', from: from.display === '' ? number : `${from.display} (${number})` })
  }

  #over(line: { party: Party; stop: () => void }, ourselves: boolean): void {
    this.#lines.delete(line)
    void line.party.taped().then((tape) => this.#notice({ kind: 'ended', by: ourselves ? 'phone' : 'exchange', tape }))
  }

  #mediaNeeds(): { media: LocalEngine['media']; random: Random; addresses: { localNetworks: string[]; media: () => string } } {
    return { media: this.#engine.media, random: this.#needs.random, addresses: { localNetworks: [], media: () => this.#address } }
  }
}

/** Ports for the audio of a few calls, at a random place: other phones may run on this machine. */
const mediaPorts = 16
const triesForPorts = 8

async function engineAt(needs: PhoneNeeds, address: string): Promise<LocalEngine> {
  for (let left = triesForPorts; ; left--) {
    const first = 50_000 + 2 * needs.random.below(6_000)
    try {
      return await openLocalEngine({ range: { addresses: [address], first, last: first + mediaPorts - 1 }, folder: process.cwd() })
    } catch (fault) {
      if (!(fault instanceof EngineRefused) || left === 0) throw fault
    }
  }
}

/** Our own address on the way to a peer: what the machine's routes say. Nothing is sent. */
async function addressTowards(peer: string): Promise<string> {
  await using socket = createSocket(peer.includes(':') ? 'udp6' : 'udp4')
  socket.connect(9, peer)
  await once(socket, 'connect')
  return socket.address().address
}
