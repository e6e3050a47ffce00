import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type {
  Credentials,
  DialogEvents,
  EventDialog,
  Flow,
  Identity,
  IncomingRequest,
  InviteDialog,
  InviteSpec,
  KeptDialog,
  OutgoingEvents,
  OutgoingInvite,
  RequestSpec,
  SipAgent,
  SipPolicy,
  Unanswered,
} from '#sip/agent.ts'
import { ACCEPT, outsideDialogs } from '#sip/agent/abilities.ts'
import { authenticate } from '#sip/agent/authenticate.ts'
import { type AgentCounts, answer, type Core, tell } from '#sip/agent/core.ts'
import { DialogTable } from '#sip/agent/dialog-table.ts'
import { Homecoming } from '#sip/agent/homecoming.ts'
import { IncomingInviteRun } from '#sip/agent/incoming-invite.ts'
import { IncomingRequestRun } from '#sip/agent/incoming-request.ts'
import { InviteUsage } from '#sip/agent/invite-usage.ts'
import { requestOnce } from '#sip/agent/once.ts'
import { receiveOptions } from '#sip/agent/options.ts'
import { OutgoingInviteRun } from '#sip/agent/outgoing-invite.ts'
import { REGISTER_EXTENSIONS, receiveRegister, type RegisterDesk } from '#sip/agent/register.ts'
import { Ringing } from '#sip/agent/ringing.ts'
import { withSessionBody } from '#sip/agent/session-body.ts'
import { Strays } from '#sip/agent/stray.ts'
import { DigestClient } from '#sip/auth/client.ts'
import type { AccountLimit } from '#sip/auth/account-limit.ts'
import type { AuthGate } from '#sip/auth/gate.ts'
import { Dialog } from '#sip/dialog/dialog.ts'
import { type SessionTimerSettings, termsOfRequest } from '#sip/dialog/session-timer.ts'
import { EventUsage, IncomingSubscribeRun } from '#sip/events/event-dialog.ts'
import { type Abilities, checkRequest } from '#sip/message/check.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import type { Registrar } from '#sip/registrar/registrar.ts'
import type { SipTrace } from '#sip/trace.ts'
import {
  defaultTransactionOptions,
  type ServerTransaction,
  type TransactionCounts,
  TransactionLayer,
  type TransactionOptions,
  type TransactionUser,
} from '#sip/transaction/layer.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import type { Resolver, Transport } from '#sip/transport/transport.ts'

/** What an agent is built from. */
export interface AgentParts {
  clock: Clock
  wheel: TimerWheel
  random: Random
  log: Log
  /** Not started yet: the agent starts and closes it. */
  transport: Transport
  resolver: Resolver
  policy: SipPolicy
  /** Verifies digests and slows down guessing. */
  gate: AuthGate
  /** Serves REGISTER; null: this agent is no registrar. */
  registrar: Registrar | null
  /** Gives out GRUUs to registered phones (RFC 5627); the registrar's own. Absent: none. */
  gruus?: Gruus
  /** Route values that registered phones are to send their requests through (RFC 3608). Default: none. */
  serviceRoute?: readonly string[]
  /** User-Agent and Server, e.g. `Centrala/1.0`. */
  product: string
  /** No address translation stands between us and this address: local networks, loopback. */
  isLocal: (address: string) => boolean
  /** Hosts that mean this system in the To of a REGISTER, beside the device's own domain. Default: the address it was sent to, and ours. */
  isOurHost?: (host: string) => boolean
  /** Methods beyond those of calls that `policy.onRequest` serves outside dialogs. Others get 405. */
  methods?: readonly string[]
  /** Where the peer of a dialog can be reached when the dialog's own connection is gone: the device's new registration. */
  reflow?: (kept: KeptDialog) => Flow | null
  /** Default: no session timer is asked for; others may. */
  sessions?: SessionTimerSettings
  trace?: SipTrace
  transactions?: Partial<TransactionOptions>
  /** Hears who proves himself and who does not; the one that the transport asks. */
  watch?: SourceWatch
  /** How much one account may ask for; absent: as much as it likes. */
  accounts?: AccountLimit
}

/**
 * An INVITE that the owner answers or lets ring within this time needs no 100 (RFC 3261 §17.2.1 allows 200 ms; a caller repeats after 500):
 * one packet less for most calls.
 */
const TRYING_AFTER_MS = 150

/**
 * The user agent (RFC 3261 §8, §12 to §15): the body of `SipAgent`. Takes requests from the transaction layer through dialogs,
 * refusals and authentication to who serves them; each of these is a file beside this one.
 */
export class Agent implements SipAgent, TransactionUser {
  readonly #core: Core
  readonly #gate: AuthGate
  readonly #desk: RegisterDesk | null
  readonly #layer: TransactionLayer
  readonly #strays: Strays
  readonly #accounts: AccountLimit | null
  readonly #isPriority: (request: SipRequest) => boolean
  readonly #abilities: Abilities
  readonly #registerAbilities: Abilities
  readonly #ownMethods: ReadonlySet<string>
  #drainingFor: number | null = null

  constructor(parts: AgentParts) {
    const options = { ...defaultTransactionOptions, tryingAfter: TRYING_AFTER_MS, ...parts.transactions }
    this.#layer = new TransactionLayer({
      transport: parts.transport,
      user: this,
      wheel: parts.wheel,
      random: parts.random,
      log: parts.log,
      options,
      ...(parts.trace !== undefined && { trace: parts.trace }),
      ...(parts.watch !== undefined && { watch: parts.watch }),
    })
    const digests = new WeakMap<Credentials, DigestClient>()
    this.#core = {
      clock: parts.clock,
      wheel: parts.wheel,
      random: parts.random,
      log: parts.log,
      transport: parts.transport,
      transactions: this.#layer,
      resolver: parts.resolver,
      policy: parts.policy,
      dialogs: new DialogTable(),
      ringing: new Ringing(),
      homecoming: new Homecoming(parts.wheel),
      counts: { refused: {}, challenged: 0, failedAuthentications: 0, strays: 0, unknownDialogs: 0 },
      t1: options.t1,
      t2: options.t2,
      product: parts.product,
      sessions: parts.sessions ?? { expires: 0, min: 90 },
      isLocal: parts.isLocal,
      digestFor: (credentials) => {
        const known = digests.get(credentials) ?? new DigestClient(credentials, parts.random)
        digests.set(credentials, known)
        return known
      },
      reflow: parts.reflow ?? (() => null),
      watch: parts.watch ?? null,
    }
    this.#gate = parts.gate
    this.#accounts = parts.accounts ?? null
    this.#isPriority = options.isPriority ?? (() => false)
    const { registrar, isOurHost } = parts
    this.#desk = registrar && {
      registrar,
      isOurHost: (host, flow) => isOurHost?.(host) ?? this.#isUs(host, flow),
      gruus: parts.gruus ?? null,
      serviceRoute: parts.serviceRoute ?? [],
    }
    this.#strays = new Strays(this.#core)
    this.#ownMethods = new Set(parts.methods)
    this.#abilities = outsideDialogs(parts.methods ?? [], parts.registrar !== null)
    this.#registerAbilities = { ...this.#abilities, extensions: [...new Set([...this.#abilities.extensions, ...REGISTER_EXTENSIONS])] }
  }

  get counts(): AgentCounts & { readonly dialogs: number; readonly transactions: TransactionCounts } {
    return { ...this.#core.counts, dialogs: this.#core.dialogs.size, transactions: this.#layer.counts }
  }

  /** Opens the transports. Adopt dialogs and bindings before, so that no request finds them missing. */
  start(): Promise<void> {
    return this.#core.transport.start(this.#layer)
  }

  invite(spec: InviteSpec, events: OutgoingEvents): OutgoingInvite {
    const run = new OutgoingInviteRun(this.#core, spec, events)
    run.start()
    return run
  }

  request(spec: RequestSpec): Promise<SipResponse | Unanswered> {
    return requestOnce(this.#core, spec)
  }

  adopt(kept: KeptDialog, events: DialogEvents, credentials?: Credentials): InviteDialog {
    return new InviteUsage(this.#core, Dialog.adopt(kept), events, {
      credentials,
      ...(kept.session !== undefined && { kept: kept.session }),
    })
  }

  /** Takes over the dialog of a subscription kept by another process life. */
  adoptEvents(kept: KeptDialog, onRequest: (incoming: IncomingRequest) => void): EventDialog {
    return new EventUsage(this.#core, Dialog.adopt(kept), onRequest)
  }

  drain(retryAfterSeconds: number): void {
    this.#drainingFor = retryAfterSeconds
    this.#layer.drain(retryAfterSeconds)
  }

  async close(): Promise<void> {
    this.#core.dialogs.close()
    this.#layer.close()
    await this.#core.transport.close()
  }

  // From the transaction layer

  onRequest(transaction: ServerTransaction): void {
    const { headers } = transaction.request
    if (headers.to.tag !== undefined) this.#inDialog(transaction)
    else this.#outsideDialogs(transaction)
  }

  onAck(ack: SipRequest, flow: Flow): void {
    const user = this.#core.dialogs.ofRequest(ack.headers)
    if (user === undefined) this.#core.watch?.offends(flow.remote, 'pointless')
    else user.receiveAck(ack, flow)
  }

  onStrayResponse(response: SipResponse, flow: Flow): void {
    this.#strays.receive(response, flow)
  }

  onFlowFailed(flow: Flow): void {
    const { connection } = flow
    if (connection === null) return
    this.#desk?.registrar.connectionClosed(connection)
    this.#core.ringing.connectionLost(connection)
  }

  #inDialog(transaction: ServerTransaction): void {
    const user = this.#core.dialogs.ofRequest(transaction.request.headers)
    if (user !== undefined) {
      transaction.proved()
      user.receive(transaction)
      return
    }
    const refusal = checkRequest(transaction.request, this.#abilities)
    if (refusal !== null) {
      this.#refuse(transaction, refusal.status, refusal.headers)
      return
    }
    this.#core.counts.unknownDialogs++
    this.#core.watch?.offends(transaction.flow.remote, 'pointless')
    answer(this.#core, transaction, 481)
  }

  #outsideDialogs(transaction: ServerTransaction): void {
    const refusal = checkRequest(transaction.request, transaction.request.method === 'REGISTER' ? this.#registerAbilities : this.#abilities)
    if (refusal !== null) {
      this.#refuse(transaction, refusal.status, refusal.headers)
      return
    }
    const who = authenticate(this.#core, this.#gate, transaction)
    if (who === null) return
    if (this.#accounts?.takes(who) === false && !this.#isPriority(transaction.request))
      answer(this.#core, transaction, 503, { headers: [['Retry-After', String(2 + this.#core.random.below(5))]] })
    else this.#serve(transaction, who)
  }

  #serve(transaction: ServerTransaction, who: Identity): void {
    const { method } = transaction.request
    if (method === 'INVITE') this.#receiveInvite(transaction, who)
    else if (method === 'REGISTER' && this.#desk !== null) receiveRegister(this.#core, this.#desk, transaction, who)
    else if (method === 'OPTIONS') receiveOptions(this.#core, transaction, this.#abilities.methods, this.#drainingFor)
    else if (method === 'SUBSCRIBE' && this.#ownMethods.has(method)) this.#receiveSubscribe(transaction, who)
    else if (this.#ownMethods.has(method)) this.#receiveRequest(transaction, who)
    else if (DIALOG_ONLY.has(method)) answer(this.#core, transaction, 481)
    else this.#refuse(transaction, 405, [['Allow', this.#abilities.methods.join(', ')]])
  }

  #receiveInvite(transaction: ServerTransaction, who: Identity): void {
    const request = withSessionBody(transaction.request)
    if (request === null) {
      this.#refuse(transaction, 415, [['Accept', ACCEPT]])
      return
    }
    const terms = termsOfRequest(request.headers, this.#core.sessions)
    if (terms !== null && 'min' in terms) {
      this.#refuse(transaction, 422, [['Min-SE', String(terms.min)]])
      return
    }
    const invite = new IncomingInviteRun(this.#core, transaction, request)
    if (!tell(this.#core, () => this.#core.policy.onInvite(invite, who))) invite.reject(500)
  }

  #receiveRequest(transaction: ServerTransaction, who: Identity): void {
    const incoming = new IncomingRequestRun(this.#core, transaction)
    if (!tell(this.#core, () => this.#core.policy.onRequest?.(incoming, who))) incoming.respond(500)
  }

  #receiveSubscribe(transaction: ServerTransaction, who: Identity): void {
    const incoming = new IncomingSubscribeRun(this.#core, transaction)
    if (!tell(this.#core, () => this.#core.policy.onSubscribe?.(incoming, who))) incoming.respond(500)
  }

  #isUs(host: string, flow: Flow): boolean {
    return host === flow.local.address || host === this.#core.transport.advertised(flow).host
  }

  #refuse(transaction: ServerTransaction, status: number, headers: readonly (readonly [string, string])[]): void {
    const { refused } = this.#core.counts
    refused[status] = (refused[status] ?? 0) + 1
    this.#core.watch?.offends(transaction.flow.remote, 'pointless')
    answer(this.#core, transaction, status, { headers })
  }
}

/** Methods that make sense only within a dialog or subscription: outside they match none (RFC 3261 §15.1.2, RFC 3311, RFC 6665 §4.1.3). */
const DIALOG_ONLY: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE', 'INFO', 'NOTIFY', 'REFER'])
