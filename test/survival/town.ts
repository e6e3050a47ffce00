import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import type { Body, DialogEnd, IncomingInvite, IncomingRequest, InviteDialog, TransportName, Unanswered } from '#sip/agent.ts'
import type { Agent } from '#sip/agent/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { Registration } from '#sip/registrar/registration.ts'
import { within } from '#test/support/within.ts'
import { beatFor, Talker } from '#test/survival/talker.ts'

const address = '127.0.0.1'

/** One party of a call in the town: its dialog, its audio, and what happened to it. */
export class Party {
  readonly talker: Talker
  dialog: InviteDialog | null = null
  readonly notified: string[] = []
  readonly ended: Promise<DialogEnd>
  /** How it ended; null: it talks. */
  end: DialogEnd | null = null
  #end = Promise.withResolvers<DialogEnd>()
  #version = 1

  constructor(talker: Talker) {
    this.talker = talker
    this.ended = this.#end.promise
  }

  sdp(direction = 'sendrecv'): Body {
    const lines = [
      'v=0',
      `o=- ${this.talker.port} ${this.#version++} IN IP4 ${address}`,
      's=-',
      `c=IN IP4 ${address}`,
      't=0 0',
      `m=audio ${this.talker.port} RTP/AVP 8`,
      'a=rtpmap:8 PCMA/8000',
      `a=${direction}`,
      '',
    ]
    return { contentType: 'application/sdp', bytes: Buffer.from(lines.join('\r\n')) }
  }

  take(body: Body | null): void {
    const text = body === null ? '' : Buffer.from(body.bytes).toString()
    const port = Number(/^m=audio (\d+)/m.exec(text)?.[1] ?? 0)
    const host = /^c=IN IP4 (\S+)/m.exec(text)?.[1] ?? address
    if (port > 0) this.talker.peer = { address: host, port }
  }

  events() {
    return {
      onReinvite: (_request: unknown, reply: { accept(body: Body | null): void }) => reply.accept(this.sdp()),
      onRequest: (incoming: IncomingRequest) => {
        this.notified.push(Buffer.from(incoming.request.body).toString().trim())
        incoming.respond(200)
      },
      onEnded: (why: DialogEnd) => {
        this.talker.peer = null
        this.end = why
        this.#end.resolve(why)
      },
    }
  }

  /** How it ended, once it has; to be asked when that is due. */
  untilEnded(): Promise<DialogEnd> {
    return within('the end of a call', this.ended)
  }

  /** Puts the other side on hold, or takes it back. */
  reinvite(direction: 'sendonly' | 'sendrecv'): Promise<SipResponse | Unanswered> {
    const answer = Promise.withResolvers<SipResponse | Unanswered>()
    this.dialog?.reinvite(this.sdp(direction), (result, acknowledge) => {
      // Who is not told that the answer came ends the call after half a minute (RFC 3261 §13.3.1.4).
      acknowledge()
      answer.resolve(result)
    })
    return within('the answer to a re-INVITE', answer.promise)
  }
}

/** A town of phones on one address: each has its own user, all share one SIP agent. */
export class Town implements AsyncDisposable {
  readonly agent: Agent
  readonly #server: { transport: TransportName; address: string; port: number }
  readonly #domain: string
  readonly #registrations: Registration[] = []
  readonly #parties: Party[] = []
  readonly #beats = new DisposableStack()
  readonly #waiting = new Map<string, (party: Party) => void>()

  private constructor(agent: Agent, server: Town['server'], domain: string) {
    this.agent = agent
    this.#server = server
    this.#domain = domain
  }

  static async open(server: { transport: TransportName; address: string; port: number }, domain: string): Promise<Town> {
    let rings: (incoming: IncomingInvite) => Promise<void> = () => Promise.resolve()
    const at = [{ address, port: 0, setting: 'test' }]
    const { agent } = simpleAgent({
      clock: systemClock,
      random: machineRandom(),
      log: silentLog,
      listen: { udp: at, tcp: at },
      product: 'town',
      onInvite: (incoming) => void rings(incoming),
    })
    const town = new Town(agent, server, domain)
    rings = (incoming) => town.#ring(incoming)
    await agent.start()
    return town
  }

  get server(): { transport: TransportName; address: string; port: number } {
    return this.#server
  }
  get parties(): readonly Party[] {
    return this.#parties
  }

  /** Registers a phone; resolves once it is. */
  register(user: string, password: string): Promise<Registration> {
    const aor = `<sip:${user}@${this.#domain}>`
    return new Promise((resolve) => {
      const registration = new Registration(
        { clock: systemClock, random: machineRandom(), agent: this.agent },
        { registrar: `sip:${this.#domain}`, aor, contactUser: user, via: () => this.#server, credentials: { user, password } },
        { onUp: () => resolve(registration) },
      )
      this.#registrations.push(registration)
      registration.start()
    })
  }

  /** Calls from one phone to an extension whose phone is here too; resolves with both parties when both talk. */
  async call(user: string, password: string, to: string): Promise<{ caller: Party; callee: Party }> {
    const caller = new Party(await Talker.open(address))
    this.#parties.push(caller)
    const callee = new Promise<Party>((resolve) => this.#waiting.set(to, resolve))
    await new Promise<void>((resolve, reject) => {
      this.agent.invite(
        {
          uri: `sip:${to}@${this.#domain}`,
          from: `<sip:${user}@${this.#domain}>`,
          to: `<sip:${to}@${this.#domain}>`,
          via: this.#server,
          credentials: { user, password },
          body: caller.sdp(),
        },
        {
          onAnswered: (response, dialog) => {
            caller.dialog = dialog
            caller.take(bodyOf(response))
            dialog.acknowledge()
            resolve()
          },
          onFailed: (failure) => reject(new Error(failure.kind === 'response' ? `${failure.status} ${failure.reason}` : failure.detail)),
          dialog: caller.events(),
        },
      )
    })
    return { caller, callee: await callee }
  }

  /** The next call to this phone. */
  answered(user: string): Promise<Party> {
    return new Promise((resolve) => this.#waiting.set(user, resolve))
  }

  /** These talk until it is disposed of, or the town is: what fails in between is not drowned by talkers that have no socket any more. */
  beat(parties: readonly Party[]): Disposable {
    return this.#beats.use(beatFor(parties.map((party) => party.talker)))
  }

  /** Of a call that is over: what they listened with is given back, or a long attack would use up all that one process may open. */
  forget(...parties: readonly Party[]): void {
    for (const party of parties) {
      const at = this.#parties.indexOf(party)
      if (at < 0) continue
      this.#parties.splice(at, 1)
      party.talker[Symbol.dispose]()
    }
  }

  async #ring(incoming: IncomingInvite): Promise<void> {
    const user = /^sip:([^@]+)@/.exec(incoming.request.uri)?.[1] ?? ''
    const party = new Party(await Talker.open(address))
    this.#parties.push(party)
    party.take(bodyOf(incoming.request))
    party.dialog = incoming.accept(party.sdp(), party.events())
    this.#waiting.get(user)?.(party)
    this.#waiting.delete(user)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#beats.dispose()
    for (const registration of this.#registrations) void registration.stop()
    for (const party of this.#parties) party.talker[Symbol.dispose]()
    await this.agent.close()
  }
}
