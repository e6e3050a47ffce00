import { silentLog } from '#base/log.ts'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { Call, type CallFact } from '#calls/call.ts'
import { type InboundLeg, openInbound } from '#calls/inbound-leg.ts'
import type { CallNeeds, Destination, FinishedRecording, Located, RingPlan, RingTarget } from '#calls/needs.ts'
import type { NewFact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type {
  Endpoint,
  EndpointEvents,
  EndpointId,
  KeptEndpoint,
  MediaEngine,
  PlayItem,
  StreamParams,
  MixTerms,
  RoomId,
} from '#media/engine.ts'
import type {
  Body,
  DialogEvents,
  Flow,
  IncomingInvite,
  InviteDialog,
  InviteSpec,
  KeptDialog,
  OutgoingEvents,
  SipAgent,
} from '#sip/agent.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** What a call needs from outside, simulated: phones that do as the test says, media that only takes notes, a journal in memory. */
export class Town {
  readonly clock = new VirtualClock(1_772_445_600_000)
  readonly facts: NewFact[] = []
  readonly kept = new Map<string, unknown>()
  readonly finished: FinishedRecording[] = []
  /** INVITEs we sent, oldest first. */
  readonly invites: FakeInvite[] = []
  readonly endpoints: FakeEndpoint[] = []
  readonly adopted: FakeDialog[] = []
  /** What can be rung under a device's id or a number, as branches of alternatives. */
  readonly phones = new Map<string, Located>()
  /** What a transferor reaches under a number. */
  readonly numbers = new Map<string, { plan: RingPlan } | { refused: Outcome }>()
  /** Media ports left. */
  ports = 100
  /** While false, what waits for the disk waits. */
  diskTakes = true
  readonly needs: CallNeeds
  #waiting: (() => void)[] = []

  constructor() {
    this.needs = {
      clock: this.clock,
      random: countingRandom(),
      log: silentLog,
      sip: this.#sip(),
      media: this.#media(),
      journal: {
        append: (fact) => void this.facts.push(fact),
        whenKept: (then) => (this.diskTakes ? then() : void this.#waiting.push(then)),
        keep: (key, value) => void (value === null ? this.kept.delete(key) : this.kept.set(key, structuredClone(value))),
      },
      addresses: { media: () => '192.0.2.1', localNetworks: ['10.0.0.0/8'] },
      directory: {
        locate: (target) => this.phones.get(nameOf(target)) ?? { branches: [] },
        resolve: (number) => this.numbers.get(number) ?? { refused: { kind: 'wrong-number', by: 'caller', sip: 404 } },
        forward: (number) => this.numbers.get(number) ?? { refused: { kind: 'wrong-number', by: 'caller', sip: 404 } },
      },
      announcer: {
        confirm: (key) => [{ kind: 'file', file: `press-${key}.wav` }],
        lastMinute: () => [{ kind: 'file', file: 'last-minute.wav' }],
      },
      archive: {
        place: (tenant, recording) => `${tenant}/${recording}.ogg`,
        finished: (recording) => void this.finished.push(recording),
      },
    }
  }

  /** The disk takes what waited. */
  flush(): void {
    for (const then of this.#waiting.splice(0)) then()
  }

  call(): Call {
    const asker = { kind: 'trunk', id: 'carrier', number: '+74951112233' } as const
    return new Call(this.needs, { tenant: 'acme', call: 'c1', config: 1, from: { number: '+74951112233' }, asker })
  }

  /** A call with its caller, who has offered audio. */
  calledIn(offer: Body | null = audio('sendrecv', 40_000)): { call: Call; incoming: FakeIncoming; inbound: InboundLeg } {
    const call = this.call()
    const incoming = new FakeIncoming(offer)
    const inbound = openInbound(call, incoming, call.identity.asker)
    if (inbound === null) throw new Error('the caller was refused')
    return { call, incoming, inbound }
  }

  /** The kinds of what was told so far, in order. */
  get story(): string[] {
    return this.facts.map((fact) => fact.kind)
  }

  factsOf<K extends CallFact['kind']>(kind: K): Extract<NewFact, { kind: K }>[] {
    return this.facts.filter((fact): fact is Extract<NewFact, { kind: K }> => fact.kind === kind)
  }

  /** The latest INVITE sent to a phone. */
  invited(id: string): FakeInvite {
    const found = this.invites.findLast((invite) => invite.spec.uri.startsWith(`sip:${id}@`))
    if (found === undefined) throw new Error(`nobody rang ${id}`)
    return found
  }

  #sip(): SipAgent {
    return {
      invite: (spec, events) => {
        const invite = new FakeInvite(spec, events, `call-${this.invites.length + 1}`)
        this.invites.push(invite)
        return invite
      },
      request: () => Promise.resolve({ kind: 'unanswered', why: 'timeout', detail: 'nobody there' }),
      adopt: (kept, events) => {
        const dialog = new FakeDialog(kept.callId, events)
        this.adopted.push(dialog)
        return dialog
      },
      drain: () => undefined,
      close: () => Promise.resolve(),
    }
  }

  #media(): MediaEngine {
    const add = (events: EndpointEvents, kept?: KeptEndpoint): FakeEndpoint => {
      const endpoint = new FakeEndpoint(events, kept?.id ?? `e${this.endpoints.length + 1}`, 20_000 + 2 * this.endpoints.length)
      this.endpoints.push(endpoint)
      return endpoint
    }
    return {
      open: (events) => (this.ports-- > 0 ? add(events) : null),
      adopt: (kept, events) => add(events, kept),
      sweep: () => undefined,
      load: { endpoints: 0, capacity: 100 },
    }
  }
}

/** An INVITE of ours, as the phone that got it sees it. */
export class FakeInvite {
  readonly callId: string
  readonly localTag = 'ours'
  readonly spec: InviteSpec
  /** Reason header of our CANCEL; undefined while there was none. */
  cancelled: string | null | undefined = undefined
  dialog: FakeDialog | null = null
  #events: OutgoingEvents
  #request: SipRequest

  constructor(spec: InviteSpec, events: OutgoingEvents, callId: string) {
    this.spec = spec
    this.#events = events
    this.callId = callId
    this.#request = inviteRequest(callId, null)
  }

  cancel(reason?: string): void {
    this.cancelled ??= reason ?? null
  }

  /** 180, or with audio 183. */
  ring(early?: Body): void {
    this.#events.onProvisional?.(buildResponse(this.#request, early === undefined ? 180 : 183, undefined, withBody(early)), 'tag')
  }

  answer(body: Body | null = audio('sendrecv', 41_000)): FakeDialog {
    this.dialog = new FakeDialog(this.callId, this.#events.dialog)
    this.#events.onAnswered(buildResponse(this.#request, 200, undefined, withBody(body ?? undefined)), this.dialog)
    return this.dialog
  }

  refuse(status: number, headers: readonly (readonly [string, string])[] = []): void {
    this.#events.onFailed(buildResponse(this.#request, status, undefined, { headers }))
  }

  /** Nobody there at all. */
  silence(why: 'timeout' | 'transport' | 'too-long' = 'timeout'): void {
    this.#events.onFailed({ kind: 'unanswered', why, detail: 'no answer of any kind' })
  }
}

/** A dialog, as the other end sees it. */
export class FakeDialog implements InviteDialog {
  readonly callId: string
  readonly localTag = 'ours'
  readonly remoteTag = 'theirs'
  readonly remoteTarget = 'sip:peer@192.0.2.9'
  acknowledged = 0
  /** Reason of our BYE; undefined while there was none. */
  ended: string | null | undefined = undefined
  /** Bodies of NOTIFYs and other requests of ours. */
  readonly requests: { method: string; body: string }[] = []
  #events: DialogEvents

  constructor(callId: string, events: DialogEvents) {
    this.callId = callId
    this.#events = events
  }

  acknowledge(): void {
    this.acknowledged++
  }
  reinvite(): void {
    throw new Error('no re-INVITE was expected')
  }
  request(method: string, _headers: readonly (readonly [string, string])[], body?: Body): Promise<never> {
    this.requests.push({
      method,
      body: Buffer.from(body?.bytes ?? [])
        .toString()
        .trim(),
    })
    return new Promise(() => undefined)
  }
  bye(reason?: string): void {
    this.ended ??= reason ?? null
  }
  keep(): KeptDialog {
    const uris = { localUri: 'sip:us@192.0.2.1', remoteUri: 'sip:peer@192.0.2.9', remoteTarget: this.remoteTarget, routeSet: [] }
    return { callId: this.callId, localTag: 'ours', remoteTag: 'theirs', ...uris, localSeq: 1, remoteSeq: 1, flow, secure: false }
  }

  /** The peer hangs up. */
  peerHangsUp(): void {
    this.#events.onEnded({ kind: 'bye', reason: null })
  }

  /** The peer offers again: `sendonly` puts us on hold. Gives what we answered: SDP, or a status. */
  peerOffers(body: Body | null): string | number {
    let answered: string | number = 0
    this.#events.onReinvite(inviteRequest(this.callId, body), {
      accept: (answer) => void (answered = Buffer.from(answer?.bytes ?? []).toString()),
      reject: (status) => void (answered = status),
    })
    return answered
  }

  /** A request of the peer within the dialog. Gives our status. */
  peerRequests(method: string, headers: readonly (readonly [string, string])[], body = ''): number {
    let status = 0
    const request = buildRequest({
      method,
      uri: 'sip:us@192.0.2.1',
      headers: [['CSeq', `7 ${method}`], ...headers],
      body: Buffer.from(body),
    })
    this.#events.onRequest?.({ request, flow, respond: (given) => void (status = given) })
    return status
  }
}

/** An INVITE that reaches us, as its sender sees it. */
export class FakeIncoming implements IncomingInvite {
  readonly request: SipRequest
  readonly flow = flow
  readonly progressed: number[] = []
  rejected: number | null = null
  /** SDP of our 2xx. */
  accepted: string | null = null
  dialog: FakeDialog | null = null
  onCancelled: (reason: string | null, lost?: string) => void = () => undefined
  readonly localTag = 'ours'
  isReliable = false
  early: IncomingInvite['early'] = null

  constructor(offer: Body | null) {
    this.request = inviteRequest('incoming', offer)
  }

  progress(status: number): void {
    this.progressed.push(status)
  }
  accept(body: Body | null, events: DialogEvents): InviteDialog {
    this.accepted = Buffer.from(body?.bytes ?? []).toString()
    this.dialog = new FakeDialog('incoming', events)
    return this.dialog
  }
  reject(status: number): void {
    this.rejected ??= status
  }
}

/** A media port that takes notes. */
export class FakeEndpoint implements Endpoint {
  readonly id: EndpointId
  readonly local: { address: string; port: number }
  readonly events: EndpointEvents
  stream: StreamParams | null = null
  peer: Endpoint | null = null
  mixed: { room: RoomId; terms: MixTerms } | null = null
  /** Plays not yet stopped or ended, by id. */
  readonly playing = new Map<number, readonly PlayItem[]>()
  readonly recordings: string[] = []
  closed = false
  #plays = 0

  constructor(events: EndpointEvents, id: EndpointId, port: number) {
    this.events = events
    this.id = id
    this.local = { address: '0.0.0.0', port }
  }

  aim(stream: StreamParams): void {
    this.stream = stream
  }
  join(other: Endpoint): void {
    this.peer = other
  }
  mix(room: RoomId, terms: MixTerms = {}): void {
    this.peer = null
    this.mixed = { room, terms }
  }
  part(): void {
    this.peer = null
    this.mixed = null
  }
  play(items: readonly PlayItem[]): number {
    this.playing.clear()
    this.playing.set(++this.#plays, items)
    return this.#plays
  }
  stop(play: number): void {
    this.playing.delete(play)
  }
  sendDtmf(): void {}
  record(file: string): { file: string; stop(): void } {
    this.recordings.push(file)
    return { file, stop: () => this.events.onRecorded?.({ file, ms: 3_000, bytes: 5_000, turns: [], gaps: [] }) }
  }
  keep(): KeptEndpoint {
    return { id: this.id, engine: 0, local: this.local, ...(this.stream !== null && { stream: this.stream }) }
  }
  close(): void {
    this.closed = true
  }
}

const flow: Flow = {
  transport: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '192.0.2.9', port: 5060 },
  connection: null,
}

/** An SDP offer or answer for one G.711 stream. */
export function audio(direction: 'sendrecv' | 'sendonly' | 'inactive', port: number): Body {
  const lines = ['v=0', `o=- 1 ${port} IN IP4 192.0.2.9`, 's=-', 'c=IN IP4 192.0.2.9', 't=0 0', `m=audio ${port} RTP/AVP 8 0 101`]
  const bytes = Buffer.from(`${[...lines, 'a=rtpmap:101 telephone-event/8000', `a=${direction}`].join('\r\n')}\r\n`)
  return { contentType: 'application/sdp', bytes }
}

/** A destination of one phone. */
export function phone(id: string, more: Partial<Destination> = {}): Destination {
  const via = { transport: 'udp', address: '192.0.2.9', port: 5060 } as const
  return { endpoint: { kind: 'device', id, number: id }, uri: `sip:${id}@192.0.2.9`, from: '<sip:us@x>', to: `<sip:${id}@x>`, via, ...more }
}

/** A destination behind a trunk. */
export function trunk(id: string, number: string, more: Partial<Destination> = {}): Destination {
  return { ...phone(`${number}.${id}`), endpoint: { kind: 'trunk', id, number }, ...more }
}

/** Rings devices together. */
export function step(ids: readonly string[], ms = 15_000): RingPlan['steps'][number] {
  return { targets: ids.map((id) => ({ kind: 'device', id, label: id })), ms }
}

function nameOf(target: RingTarget): string {
  return target.kind === 'device' ? target.id : target.number
}

function inviteRequest(callId: string, body: Body | null): SipRequest {
  const type = body === null ? [] : [['Content-Type', body.contentType] as const]
  const parties = [['From', '<sip:+74951112233@192.0.2.9>;tag=peer'] as const, ['To', '<sip:us@192.0.2.1>'] as const]
  const headers = [...parties, ['Call-ID', callId] as const, ['CSeq', '1 INVITE'] as const, ...type]
  return buildRequest({ method: 'INVITE', uri: 'sip:us@192.0.2.1', headers, body: body?.bytes })
}

function withBody(body: Body | undefined): { headers?: (readonly [string, string])[]; body?: Uint8Array } {
  return body === undefined ? {} : { headers: [['Content-Type', body.contentType]], body: body.bytes }
}
