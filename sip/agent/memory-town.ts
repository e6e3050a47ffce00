import { createSecretKey } from 'node:crypto'
import { countingRandom, type Random } from '#base/ids.ts'
import { type Log, silentLog } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type {
  Body,
  DialogEnd,
  DialogEvents,
  Flow,
  Identified,
  Identity,
  IncomingInvite,
  IncomingRequest,
  InviteDialog,
  OutgoingEvents,
  SipPolicy,
  TransportName,
  Unanswered,
} from '#sip/agent.ts'
import { Agent, type AgentParts } from '#sip/agent/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { ha1 } from '#sip/auth/digest.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle } from '#sip/auth/throttle.ts'
import { buildResponse, type ResponseParts } from '#sip/message/build.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { serialize } from '#sip/message/serialize.ts'
import type { Binding, Unbound } from '#sip/registrar/binding.ts'
import { Registrar, type RegistrarSettings } from '#sip/registrar/registrar.ts'
import { MemoryNetwork, type MemoryTransport, type Weather } from '#sip/transport/memory-transport.ts'
import { type Destination, isFlow, type Resolver } from '#sip/transport/transport.ts'

/** Agents on one memory network and one virtual clock: for tests that read like the call flows of RFC 3665. */
export class MemoryTown {
  readonly clock = new VirtualClock(1_800_000_000_000)
  readonly network: MemoryNetwork
  readonly faults: string[] = []
  readonly #names = new Map<string, string>()
  readonly #citizens: Citizen[] = []
  readonly #log: Log = {
    ...silentLog,
    error: (message, fields) => void this.faults.push(`${message} ${String(fields?.['fault'] ?? fields?.['error'])}`),
  }

  constructor(weather: Partial<Weather> = {}, random: Random = countingRandom()) {
    this.network = new MemoryNetwork(this.clock, random, weather)
  }

  /** An agent at `address`, port 5060. */
  async move(address: string, settings: Partial<AgentParts> & { limits?: RegistrarSettings } = {}): Promise<Citizen> {
    const citizen = new Citizen(this, address, this.#log, settings)
    this.#citizens.push(citizen)
    await citizen.agent.start()
    return citizen
  }

  /** Gives a host name. */
  name(host: string, address: string): void {
    this.#names.set(host, address)
  }

  readonly resolver: Resolver = {
    resolve: ({ host, port, transport }): Promise<readonly Destination[]> => {
      const address = this.#names.get(host)
      return Promise.resolve(address === undefined ? [] : [{ transport: transport ?? 'udp', address, port: port ?? 5060 }])
    },
  }

  pass(ms: number): Promise<void> {
    return this.clock.advanceAsync(ms)
  }

  /** What was left running after every transaction has had its time: all zero unless something leaks. */
  async leftovers(): Promise<{ dialogs: number; clients: number; servers: number; timers: number }> {
    await this.pass(120_000)
    const sum = (of: (citizen: Citizen) => number): number => this.#citizens.reduce((total, citizen) => total + of(citizen), 0)
    return {
      dialogs: sum((c) => c.agent.counts.dialogs),
      clients: sum((c) => c.agent.counts.transactions.clients),
      servers: sum((c) => c.agent.counts.transactions.servers),
      timers: sum((c) => c.wheel.size),
    }
  }
}

/** Somebody with an agent, who notes what happens. */
export class Citizen {
  readonly agent: Agent
  readonly wheel: TimerWheel
  readonly transport: MemoryTransport
  readonly registrar: Registrar
  readonly address: string
  readonly invites: IncomingInvite[] = []
  readonly requests: IncomingRequest[] = []
  readonly strays: string[] = []
  readonly bound: Binding[] = []
  readonly unbound: [contact: string, why: Unbound][] = []
  /** Who a sender is; default: everybody is trusted. */
  identify: SipPolicy['identify'] = () => ({ kind: 'trusted', identity: stranger })
  /** Called for each INVITE. */
  onInvite: (invite: IncomingInvite, who: Identity) => void = () => undefined

  constructor(town: MemoryTown, address: string, log: Log, settings: Partial<AgentParts> & { limits?: RegistrarSettings }) {
    const { clock } = town
    const random = settings.random ?? distinctRandom(address)
    this.address = address
    this.wheel = new TimerWheel(clock)
    this.transport = town.network.host(address)
    const key = createSecretKey(Buffer.from('0123456789abcdef'))
    this.registrar = new Registrar(
      { now: () => clock.now(), wall: () => clock.wall(), after: (ms, task) => this.wheel.after(ms, task) },
      { onBound: (binding) => void this.bound.push(binding), onUnbound: ({ contact }, why) => void this.unbound.push([contact, why]) },
      settings.limits,
    )
    this.agent = new Agent({
      clock,
      wheel: this.wheel,
      random,
      log,
      transport: this.transport,
      resolver: town.resolver,
      gate: new AuthGate(
        new DigestServer({ clock, key, algorithms: ['SHA-256', 'MD5'] }),
        new GuessThrottle({ clock, onShutOut: () => undefined }),
      ),
      registrar: this.registrar,
      product: `Town/${address}`,
      isLocal: () => true,
      policy: {
        identify: (request, flow) => this.identify(request, flow),
        onInvite: (invite, who) => {
          this.invites.push(invite)
          this.onInvite(invite, who)
        },
        onRequest: (request) => {
          this.requests.push(request)
          request.respond(200)
        },
        onStray: (callId) => void this.strays.push(callId),
      },
      ...settings,
    })
  }
}

/** A host without an agent, for what no honest agent does: sends any text, notes what comes. */
export class Puppet {
  readonly transport: MemoryTransport
  readonly requests: SipRequest[] = []
  readonly responses: SipResponse[] = []
  onRequest: (request: SipRequest, flow: Flow) => void = () => undefined

  constructor(town: MemoryTown, address: string, port = 5060) {
    this.transport = town.network.host(address, port)
    void this.transport.start({
      onRequest: (request, flow) => {
        this.requests.push(request)
        this.onRequest(request, flow)
      },
      onResponse: (response) => void this.responses.push(response),
      onFlowFailed: () => undefined,
    })
  }

  flowTo(address: string, transport: TransportName = 'udp'): Flow {
    const flow = this.transport.open({ transport, address, port: 5060 })
    if (!isFlow(flow)) throw new Error(flow.detail)
    return flow
  }

  /** Sends a message written as lines; its Content-Length is added. */
  say(flow: Flow, lines: readonly string[], body = ''): void {
    this.transport.send(flow, Buffer.from(`${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`))
  }

  /** Answers a request that came. */
  answer(request: SipRequest, flow: Flow, status: number, parts: ResponseParts = {}): void {
    this.transport.send(flow, serialize(buildResponse(request, status, undefined, parts)))
  }
}

/** Everything that a dialog told its owner. */
export class Notes implements DialogEvents {
  readonly acknowledged: (Body | null)[] = []
  readonly ended: DialogEnd[] = []
  readonly offers: SipRequest[] = []
  readonly requests: IncomingRequest[] = []
  changes = 0
  /** How offers are met; default: with the answer `answer`. */
  reply: (reply: { accept(body: Body | null): void; reject(status: number, reason?: string): void }) => void = (reply) =>
    reply.accept(sdp('answer'))

  onAcknowledged(body: Body | null): void {
    this.acknowledged.push(body)
  }
  onReinvite(request: SipRequest, reply: { accept(body: Body | null): void; reject(status: number, reason?: string): void }): void {
    this.offers.push(request)
    this.reply(reply)
  }
  onRequest(request: IncomingRequest): void {
    this.requests.push(request)
    request.respond(200)
  }
  onEnded(why: DialogEnd): void {
    this.ended.push(why)
  }
  onChanged(): void {
    this.changes++
  }
}

/** Everything that an INVITE of ours told its owner; acknowledges answers at once. */
export class CallNotes implements OutgoingEvents {
  readonly provisional: number[] = []
  readonly failed: (SipResponse | Unanswered)[] = []
  readonly dialog = new Notes()
  answers = 0
  talking: InviteDialog | null = null
  acknowledges = true

  onProvisional(response: SipResponse): void {
    this.provisional.push(response.status)
  }
  onAnswered(_response: SipResponse, dialog: InviteDialog): void {
    this.answers++
    this.talking = dialog
    if (this.acknowledges) dialog.acknowledge()
  }
  onFailed(failure: SipResponse | Unanswered): void {
    this.failed.push(failure)
  }
}

/** A body that stands for a session description. */
export function sdp(text: string): Body {
  return { contentType: 'application/sdp', bytes: Buffer.from(text) }
}

/** A user with a password, for `identify`. */
export function challengeFor(user: string, password: string, realm = 'town.example'): Identified {
  const identity: Identity = { id: user, aor: `${user}@${realm}` }
  return {
    kind: 'challenge',
    realm,
    user: {
      algorithms: ['SHA-256', 'MD5'],
      ha1: { 'SHA-256': ha1('SHA-256', user, realm, password), MD5: ha1('MD5', user, realm, password) },
      identity,
    },
  }
}

const stranger: Identity = { id: 'stranger', aor: null }

/** As `countingRandom`, but what two agents draw never is the same. */
function distinctRandom(address: string): Random {
  const counting = countingRandom()
  const mark = Buffer.from(address).toString('hex').slice(-6)
  return { hex: (bytes) => (mark + counting.hex(bytes + 3)).slice(-2 * Math.max(bytes, 8)), below: (limit) => counting.below(limit) }
}
