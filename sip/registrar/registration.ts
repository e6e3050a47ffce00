import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { RequestSpec, SipAgent, Unanswered } from '#sip/agent.ts'
import { contactExpires } from '#sip/message/fields.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { retryDelay } from '#sip/registrar/retry-delay.ts'

/** How we register at somebody else's registrar, a carrier's for instance. */
export interface RegistrationSpec extends Pick<RequestSpec, 'route' | 'credentials' | 'headers'> {
  /** Where to send, asked for each attempt, as names are resolved anew and one of several addresses may be dead; absent: where the registrar's URI leads. */
  via?: () => RequestSpec['via']
  /** Request-URI: the registrar's domain, `sip:carrier.example`. */
  registrar: string
  /** The address of record, as a name-addr: From and To. */
  aor: string
  /** User part of our Contact: what the carrier puts into the Request-URI of calls to us, and how we know our binding among others. */
  contactUser: string
  /** Seconds of life to ask for. Default 600. */
  expires?: number
}

/** Why a registration is down. `refused`: the registrar said no (credentials, account). `unavailable`: it cannot now. `unanswered`: silence. */
export interface RegistrationDown {
  readonly why: 'refused' | 'unavailable' | 'unanswered'
  readonly detail: string
  /** Status of the refusal; null without answer. */
  readonly status: number | null
  /** Milliseconds until the next attempt. */
  readonly retryIn: Millis
}

export interface RegistrationEvents {
  /** Registered; not told again for refreshes. `expires`: seconds of life granted. */
  onUp?(expires: number): void
  /** The last attempt failed; told for each. */
  onDown?(down: RegistrationDown): void
}

/** What the registration needs from outside. */
export interface RegistrationNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly agent: Pick<SipAgent, 'request'>
}

/** A silent registrar is given up after this long; half of Timer F, so that the next attempt comes in time. */
const PATIENCE_MS = 16_000
/** A refresh never comes sooner than this after the last. */
const SHORTEST_REFRESH_MS = 5_000
/** Seconds for which a registration counts at most, whatever is granted. */
const LONGEST_LIFE_S = 86_400

/**
 * Keeps one address registered (RFC 3261 §10.2): refreshes between 50 and 80 % of the life granted, with growing and scattered
 * pauses after failures. A restarted registrar, which knows neither the nonce nor the binding, is met by the next refresh. The state is the
 * owner's to show; calls can be made whatever it is.
 */
export class Registration {
  readonly #needs: RegistrationNeeds
  readonly #spec: RegistrationSpec
  readonly #events: RegistrationEvents
  readonly #callId: string
  #expires: number
  #seq = 1
  #failures = 0
  #state: 'new' | 'up' | 'down' | 'stopped' = 'new'
  #timer: Disposable | null = null
  #serviceRoute: readonly string[] = []

  constructor(needs: RegistrationNeeds, spec: RegistrationSpec, events: RegistrationEvents = {}) {
    this.#needs = needs
    this.#spec = spec
    this.#events = events
    this.#callId = needs.random.hex(16)
    this.#expires = spec.expires ?? 600
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  /** Route values by way of which the registrar wants our requests (RFC 3608 §6.1); none while we are not registered. */
  get serviceRoute(): readonly string[] {
    return this.isUp ? this.#serviceRoute : []
  }

  /** Registers now, whatever was planned: at the start, after a change of the network, or on the owner's demand. */
  start(): void {
    if (this.#state === 'stopped') return
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
    void this.#register()
  }

  /** The registrar may have forgotten us: we count as not registered until it says otherwise, which `onUp` tells again. */
  startOver(): void {
    if (this.#state === 'stopped') return
    this.#state = 'new'
    this.start()
  }

  /** Takes the binding away, if there is one, and stops. Resolves when the registrar has answered or is given up. */
  async stop(): Promise<void> {
    const wasUp = this.#state === 'up'
    this.#state = 'stopped'
    this.#timer?.[Symbol.dispose]()
    if (wasUp) await this.#ask(0)
  }

  async #register(): Promise<void> {
    const seq = this.#seq
    const result = await this.#ask(this.#expires)
    // Stopped meanwhile, or overtaken by another `start`.
    if (this.#isStopped() || this.#seq !== seq + SEQ_STEP) return
    if (result.kind === 'unanswered') this.#failed({ why: 'unanswered', detail: result.detail, status: null }, null)
    else if (result.status < 300) this.#registered(result)
    else this.#refused(result)
  }

  async #ask(expires: number): Promise<SipResponse | Unanswered> {
    const { registrar, aor, contactUser, route, credentials, headers } = this.#spec
    const via = this.#spec.via?.()
    const cseq = this.#seq
    this.#seq += SEQ_STEP
    return this.#needs.agent.request({
      method: 'REGISTER',
      uri: registrar,
      from: aor,
      to: aor,
      contactUser,
      callId: this.#callId,
      cseq,
      timeoutMs: PATIENCE_MS,
      headers: [...(headers ?? []), ['Expires', String(expires)]],
      ...(via !== undefined && { via }),
      ...(route !== undefined && { route }),
      ...(credentials !== undefined && { credentials }),
    })
  }

  #registered(response: SipResponse): void {
    const granted = this.#grantedBy(response)
    if (granted <= 0) {
      this.#failed({ why: 'refused', detail: 'the registrar granted no time', status: response.status }, null)
      return
    }
    const wasUp = this.#state === 'up'
    this.#state = 'up'
    this.#serviceRoute = serviceRouteOf(response)
    this.#failures = 0
    const share = 0.5 + this.#needs.random.below(301) / 1000
    // A registrar that grants a year may have forgotten us by tomorrow.
    this.#again(Math.max(SHORTEST_REFRESH_MS, Math.min(granted, LONGEST_LIFE_S) * 1000 * share))
    if (!wasUp) this.#events.onUp?.(granted)
  }

  #refused(response: SipResponse): void {
    const asked = response.status === 423 ? Number(response.headers.get('Min-Expires')) : 0
    if (asked > this.#expires && asked <= 86_400) {
      this.#expires = asked
      void this.#register()
      return
    }
    const why = response.status === 408 || response.status === 480 || response.status >= 500 ? 'unavailable' : 'refused'
    this.#failed(
      { why, detail: `${response.status} ${response.reason}`.trim(), status: response.status },
      response.headers.retryAfter ?? null,
    )
  }

  #failed(failure: Omit<RegistrationDown, 'retryIn'>, retryAfter: number | null): void {
    this.#state = 'down'
    const retryIn = retryDelay(this.#failures++, failure.why, retryAfter, this.#needs.random)
    this.#again(retryIn)
    this.#events.onDown?.({ ...failure, retryIn })
  }

  /** Life of our Contact in the answer, in seconds: of several with our user, leftovers of other addresses, the youngest is ours. */
  #grantedBy({ headers }: SipResponse): number {
    const contacts = headers.contacts
    const ours = contacts === '*' ? [] : contacts.filter(({ parsed }) => parsed.kind === 'sip' && parsed.user === this.#spec.contactUser)
    const lives = ours.flatMap(({ params }) => contactExpires(params) ?? [])
    return lives.length > 0 ? Math.max(...lives) : (headers.expires ?? this.#expires)
  }

  #again(ms: Millis): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#needs.clock.after(ms, () => this.start())
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }
}

const MAX_SERVICE_ROUTES = 8

/** None when one cannot be read, or is a strict router's: that would put itself in place of whom we call. */
function serviceRouteOf({ headers }: SipResponse): readonly string[] {
  const values = headers.all('Service-Route')
  const read = headers.addresses('Service-Route')
  const isWhole = values.length === read.length && values.length <= MAX_SERVICE_ROUTES
  return isWhole && read.every(({ parsed }) => parsed.kind === 'sip' && parsed.params.has('lr')) ? read.map(({ uri }) => `<${uri}>`) : []
}

/** One REGISTER may take several numbers: a challenge, a stale nonce. */
const SEQ_STEP = 10
