import { createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { WorkMeter } from '#base/work-meter.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import type { Archive, CallNeeds, Vault } from '#calls/needs.ts'
import type { Secret } from '#contract/documents/fields.ts'
import type { MediaEngine } from '#media/engine.ts'
import type { SipPolicy } from '#sip/agent.ts'
import { Agent } from '#sip/agent/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { AccountLimit } from '#sip/auth/account-limit.ts'
import type { GuessThrottle } from '#sip/auth/throttle.ts'
import { Gruus } from '#sip/registrar/gruu.ts'
import { KeepAlive } from '#sip/registrar/keep-alive.ts'
import { Registrar } from '#sip/registrar/registrar.ts'
import { Locator } from '#sip/location/locator.ts'
import { isReferredTo } from '#sip/dialog/replaces.ts'
import { SipTrace, type TraceLimits } from '#sip/trace.ts'
import { DnsClient, nameServer, type NameServer } from '#sip/transport/dns-client.ts'
import type { ListenAt } from '#sip/transport/port-taken.ts'
import { SipTransport } from '#sip/transport/sip-transport.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import type { KeyedCertificate } from '#sip/transport/tls-keys.ts'
import type { Transport } from '#sip/transport/transport.ts'
import { Bans } from '#server/bans/bans.ts'
import { ConferenceVoice } from '#server/conferences/conference-voice.ts'
import { Conferences } from '#server/conferences/conferences.ts'
import { originate } from '#server/calls/originate.ts'
import { LiveCalls } from '#server/calls/live-calls.ts'
import { Rehearsals } from '#server/calls/rehearsals.ts'
import { DeskVoice } from '#server/desks/desk-voice.ts'
import { HotDesks } from '#server/desks/hot-desks.ts'
import { seated } from '#server/desks/seating.ts'
import { DeviceRegistrations } from '#server/devices/registrations.ts'
import { userOfUri } from '#server/dialplan/arrival.ts'
import { Books } from '#server/dialplan/books.ts'
import { CallRate } from '#server/dialplan/call-rate.ts'
import { Decoys } from '#server/dialplan/decoys.ts'
import { Conduct } from '#server/dialplan/conduct.ts'
import { CompanyDirectory } from '#server/dialplan/directory.ts'
import { Identifier } from '#server/dialplan/identify.ts'
import { Switchboard } from '#server/dialplan/switchboard.ts'
import type { CompiledDevice } from '#server/config/compiled.ts'
import { EchoLine } from '#server/doctor/echo-line.ts'
import { mediaAddresses } from '#server/exchange/addresses.ts'
import { signallingDatagrams } from '#server/exchange/signalling-datagrams.ts'
import { Callbacks } from '#server/features/callbacks.ts'
import { CallbackVoice } from '#server/features/callback-voice.ts'
import { FeatureVoice } from '#server/features/feature-voice.ts'
import { Features } from '#server/features/features.ts'
import { Parking } from '#server/features/parking.ts'
import type { Journal } from '#server/journal/index.ts'
import { Messages } from '#server/messages/messages.ts'
import { noMailboxes } from '#server/presence/message-summary.ts'
import { Presence } from '#server/presence/presence.ts'
import { Monitors } from '#server/monitoring/monitors.ts'
import { OutboundGuard } from '#server/outbound/guard.ts'
import { CompanyAnnouncer } from '#server/prompts/announcer.ts'
import type { Prompts } from '#server/prompts/prompts.ts'
import type { SipSettings } from '#server/settings.ts'
import { CallerIdentity } from '#server/stir/caller-identity.ts'
import { fetchCertificate } from '#server/stir/fetch-certificate.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'
import { TrunkBoard } from '#server/trunks/trunk-board.ts'

export interface ExchangeParts {
  clock: Clock
  random: Random
  log: Log
  meter: WorkMeter
  sip: SipSettings
  /** Shown over TLS. */
  certificates: readonly KeyedCertificate[]
  media: MediaEngine
  journal: Journal
  archive: Archive
  prompts: Prompts
  callLimit: number
  callsPerSecond: number
  passwordOf: (tenant: string, device: CompiledDevice) => string | null
  /** A secret of a company's documents, in plain. */
  secretOf: (tenant: string, secret: Secret) => string | null
  vault: Vault
  /** Default: sockets of this machine, as `sip` says. */
  transport?: (wheel: TimerWheel, watch: SourceWatch) => ExchangeTransport
  trace?: Partial<TraceLimits>
}

/** The network as an exchange sees it. */
export type ExchangeTransport = Transport & Pick<SipTransport, 'counts' | 'listening' | 'handshaking' | 'useCertificates' | 'seenBy'>

/** The telephone exchange: the SIP agent, who may use it, where calls go, and all calls in progress. Caller starts and closes it. */
export class Exchange {
  readonly agent: Agent
  readonly registrar: Registrar
  readonly transport: ExchangeTransport
  readonly trunks: TrunkBoard
  readonly books: Books
  readonly desks: HotDesks
  readonly identity: CallerIdentity
  readonly live = new LiveCalls()
  readonly conduct: Conduct
  readonly parking: Parking
  readonly callbacks: Callbacks
  readonly conferences: Conferences
  readonly monitors: Monitors
  readonly rehearsals: Rehearsals
  readonly trace: SipTrace
  readonly calls: CallNeeds
  readonly devices: DeviceRegistrations
  readonly presence: Presence
  readonly bans: Bans
  /** Where the doctor calls. */
  readonly echo: EchoLine
  readonly callLimit: number
  readonly #wheel: TimerWheel
  #keepAlive: KeepAlive | null = null

  constructor(parts: ExchangeParts) {
    const { clock, random, log, journal } = parts
    const tell: OutboundGuardTell = (fact) => void journal.append(fact)
    const wheel = new TimerWheel(clock, 10, 200)
    this.#wheel = wheel
    this.callLimit = parts.callLimit
    this.trace = new SipTrace(clock, parts.trace)
    this.books = new Books(log, (tenant, config) => seated(config, this.desks.seatsOf(tenant)))
    this.desks = new HotDesks({
      ...{ clock, journal, tell, secretOf: parts.secretOf },
      configOf: (tenant) => this.books.current(tenant)?.config ?? null,
      onSeated: (tenant) => this.books.reseat(tenant),
    })
    this.identity = new CallerIdentity({ clock, fetch: fetchCertificate, authorities: textOf(parts.sip.signatureAuthorities) })
    this.rehearsals = new Rehearsals(clock, random)
    this.bans = new Bans({
      ...{ clock, log, tell, books: this.books, neverBan: parts.sip.neverBan },
      isTrunk: (address, port) => this.trunks.from(address, port).length > 0,
    })
    const { watch } = this.bans
    this.transport =
      parts.transport?.(wheel, watch) ??
      new SipTransport(clock, wheel, {
        ...listenAt(parts.sip, parts.certificates),
        datagrams: signallingDatagrams(),
        watch,
        meter: parts.meter,
      })
    const locator = new Locator(clock, random, new DnsClient(clock, random, nameServersOf(parts.sip.dnsServers)))
    const addresses = mediaAddresses({
      publicAddress: parts.sip.publicAddress,
      localNetworks: parts.sip.localNetworks,
      towards: (remote) => this.transport.localAddressFor(remote),
    })
    this.devices = new DeviceRegistrations({
      ...{ books: this.books, journal, tell, knows: (flow) => watch.proves(flow.remote) },
      keepsAlive: { bound: (binding) => this.#keepAlive?.bound(binding), unbound: (binding) => this.#keepAlive?.unbound(binding) },
    })
    const secret = keptSecret(journal, random)
    const gruus = new Gruus(secret, random)
    this.registrar = new Registrar(clock, this.devices, { gruus })
    this.devices.serve(this.registrar)
    this.trunks = new TrunkBoard({
      clock,
      log,
      random,
      tell,
      sip: { request: (spec) => this.agent.request(spec) },
      locator,
      shared: new SharedSources(parts.sip.sharedTrunkSources),
      ourHost: (peer) => this.#hostTowards(peer, parts.sip.port),
    })
    const guard = new OutboundGuard({
      clock,
      tell,
      keep: (key, value) => journal.keep(key, value),
      kept: (key) => journal.kept(key).get(key),
    })
    const announcer = new CompanyAnnouncer({ book: (tenant, version) => this.books.at(tenant, version), prompts: parts.prompts })
    this.parking = new Parking({ announce: (slot, config) => announcer.parked(slot, config) })
    const voice = new ConferenceVoice({ book: (tenant, version) => this.books.at(tenant, version), prompts: parts.prompts })
    this.conferences = new Conferences({
      clock,
      keep: (key, value) => journal.keep(key, value),
      kept: (prefix) => journal.kept(prefix),
      secretOf: parts.secretOf,
      say: (words, on) => voice.say(words, on),
    })
    this.monitors = new Monitors({ live: this.live, books: this.books })
    this.conduct = new Conduct({
      prompts: parts.prompts,
      guard,
      legReferredTo: (tenant, replaces) => this.live.legOf(tenant, (name) => isReferredTo(replaces, name)),
      recordingId: () => random.hex(12),
      parking: this.parking,
      conferences: this.conferences,
      began: (call) => this.monitors.began(call),
    })
    const policy: SipPolicy = {
      identify: (request, source) => {
        const doctor = this.echo.identify(request)
        return doctor === null ? switchboard.identify(request, source) : { kind: 'trusted', identity: doctor }
      },
      onInvite: (incoming, who) => {
        if (!this.echo.takes(incoming, who)) switchboard.onInvite(incoming, who)
      },
      onRequest: (incoming, who) => {
        if (incoming.request.method === 'PUBLISH') this.presence.onPublish(incoming, who)
        else messages.receive(incoming, who)
      },
      onSubscribe: (incoming, who) => this.presence.onSubscribe(incoming, who),
      onStray: (callId) => log.info('ended a call that nobody here knows', { callId }),
    }
    this.agent = new Agent({
      clock,
      wheel,
      random,
      log,
      transport: this.transport,
      resolver: locator,
      policy,
      gate: gateOf(clock, this.bans.throttle),
      watch,
      accounts: new AccountLimit(clock, REQUESTS_PER_ACCOUNT),
      registrar: this.registrar,
      gruus,
      serviceRoute: parts.sip.serviceRoute.map((uri) => `<${uri}>`),
      product: 'Centrala',
      sessions: parts.sip.sessions,
      methods: ['SUBSCRIBE', 'MESSAGE', 'PUBLISH'],
      isLocal: addresses.isLocal,
      reflow: (kept) => this.devices.flowTo(kept),
      trace: this.trace,
      transactions: {
        isStrained: () => isBehind(journal),
        isPriority: (request) => request.method === 'INVITE' && this.books.isEmergency(userOfUri(request.uri) ?? ''),
      },
    })
    const { keepAliveSeconds } = parts.sip
    if (keepAliveSeconds > 0) this.#keepAlive = new KeepAlive({ clock, random, agent: this.agent }, { intervalMs: keepAliveSeconds * 1000 })
    this.presence = new Presence({
      ...{ clock, random, journal, books: this.books, mailboxes: noMailboxes },
      bindingsOf: (aor) => this.registrar.bindingsOf(aor),
      adoptEvents: (kept, onRequest) => this.agent.adoptEvents(kept, onRequest),
    })
    const messages = new Messages({
      ...{ clock, tell, books: this.books, gruus },
      contactsOf: (aor) => this.registrar.contactsOf(aor),
      send: (spec) => this.agent.request(spec),
    })
    const directory = new CompanyDirectory({
      book: (tenant, version) => this.books.at(tenant, version),
      contactsOf: (aor) => this.registrar.contactsOf(aor),
      isBusy: (tenant, device) => this.live.isBusy(tenant, device),
      trunks: this.trunks,
      guard,
      sign: (tenant, call) => this.identity.sign(tenant, call),
    })
    this.calls = {
      // On the wheel: a timer of Node's for each would cost more.
      clock: wheel.asClock(),
      random,
      log,
      sip: this.agent,
      media: parts.media,
      journal,
      addresses,
      directory,
      archive: parts.archive,
      announcer,
      vault: parts.vault,
    }
    this.echo = new EchoLine(this.calls)
    this.callbacks = new Callbacks({
      ...{ clock, journal, tell },
      stateOf: (tenant, number) => this.presence.stateOf(tenant, number),
      call: (tenant, extension, to) => {
        const begun = originate(this, { tenant, extension, to })
        return 'refused' in begun ? null : begun
      },
    })
    const switchboard = new Switchboard({
      calls: this.calls,
      books: this.books,
      identifier: new Identifier({
        books: this.books,
        trunksFrom: (address, port) => this.trunks.from(address, port),
        passwordOf: parts.passwordOf,
        isOurs: addresses.isOurs,
        decoys: new Decoys(secret),
      }),
      trunks: this.trunks,
      identity: this.identity,
      live: this.live,
      rehearsals: this.rehearsals,
      conduct: this.conduct,
      features: new Features({
        ...{ calls: this.calls, live: this.live, parking: this.parking, callbacks: this.callbacks },
        ...{ voice: new CallbackVoice(parts.prompts), desks: this.desks, deskVoice: new DeskVoice(parts.prompts) },
        troubleVoice: new FeatureVoice(parts.prompts),
      }),
      gruus,
      callLimit: parts.callLimit,
      rate: new CallRate(clock, parts.callsPerSecond),
    })
  }

  /** Opens the sockets. Configuration, registrations and calls of an earlier life must be in place by then. */
  start(): Promise<void> {
    return this.agent.start()
  }

  /** Timers of signalling and of calls that run now: they go back to what they were when calls have ended. */
  get timers(): number {
    return this.#wheel.size
  }

  /** No new calls from now on; resolves when the last has ended. */
  drained(retryAfterSeconds: number): Promise<void> {
    this.agent.drain(retryAfterSeconds)
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.live.size === 0) resolve()
      }
      for (const call of this.live.all()) call.ended.on(() => queueMicrotask(look))
      look()
    })
  }

  async close(): Promise<void> {
    await this.trunks.close()
    await this.agent.close()
    this.presence.close()
    this.callbacks.close()
    this.desks.close()
    this.#keepAlive?.close()
    this.registrar.close()
  }

  #hostTowards(peer: string, port: number): string {
    const address = this.transport.localAddressFor(peer)
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  }
}

/** The same as long as the journal lives: GRUUs given out before a restart go on leading to their phones. */
function keptSecret(journal: Pick<Journal, 'keep' | 'kept'>, random: Random): Uint8Array {
  const known = journal.kept('gruu/').get('gruu/secret')
  const secret = typeof known === 'string' && known.length === 64 ? known : random.hex(32)
  if (secret !== known) journal.keep('gruu/secret', secret)
  return Buffer.from(secret, 'hex')
}

function textOf(path: string | null): string | null {
  return path === null ? null : readFileSync(path, 'utf8')
}

/** Facts that may wait for a disk that is slow before new calls are refused. */
const MOST_WAITING_FACTS = 20_000

/** A disk that refuses altogether is another matter: then calls go on without it. */
function isBehind(journal: Journal): boolean {
  return journal.backlog > MOST_WAITING_FACTS
}

/** Requests outside dialogs that one account may make in a second, and as many at once: a hundred times what a busy phone does. */
const REQUESTS_PER_ACCOUNT = 50

type OutboundGuardTell = ConstructorParameters<typeof OutboundGuard>[0]['tell']

function gateOf(clock: Clock, throttle: GuessThrottle): AuthGate {
  const digest = new DigestServer({ clock, key: createSecretKey(randomBytes(32)), algorithms: ['SHA-256', 'MD5'] })
  return new AuthGate(digest, throttle)
}

/** Undefined: the system's. */
function nameServersOf(given: readonly string[]): (() => readonly NameServer[]) | undefined {
  const servers = given.flatMap((text) => nameServer(text) ?? [])
  return servers.length === 0 ? undefined : () => servers
}

function listenAt(sip: SipSettings, certificates: readonly KeyedCertificate[]): ConstructorParameters<typeof SipTransport>[2] {
  const on = (port: number, setting: string): ListenAt[] => sip.addresses.map((address) => ({ address, port, setting }))
  const at = on(sip.port, 'CENTRALA_SIP_PORT')
  return {
    ...{ udp: at, tcp: at, tls: on(sip.tls.port, 'CENTRALA_SIP_TLS_PORT') },
    ...{ ws: on(sip.ws.port, 'CENTRALA_SIP_WS_PORT'), wss: on(sip.tls.wssPort, 'CENTRALA_SIP_WSS_PORT') },
    keys: {
      certificates,
      clientAuthorities: sip.tls.clientAuthorities === null ? undefined : readFileSync(sip.tls.clientAuthorities, 'utf8'),
    },
    reach: { publicAddress: sip.publicAddress ?? undefined, localNetworks: sip.localNetworks },
  }
}
