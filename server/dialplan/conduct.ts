import type { Clock } from '#base/clock.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import type { ConferenceStory } from '#calls/conference-member.ts'
import type { Leg } from '#calls/leg.ts'
import type { RingPlan, Shown } from '#calls/needs.ts'
import { Recording } from '#calls/record.ts'
import { newRun } from '#flows/interpreter.ts'
import type { FlowRun } from '#flows/types.ts'
import type { PlayItem } from '#media/engine.ts'
import type { CallDirection } from '#contract/documents/numbers.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { keepDaysOf, recordingsFor } from '#server/config/recordings.ts'
import type { Conferences, RoomWanted } from '#server/conferences/conferences.ts'
import type { EntranceStory } from '#server/conferences/entrance.ts'
import { type ConversationRules, converse } from '#server/dialplan/conversation.ts'
import type { Route } from '#server/dialplan/decide.ts'
import { emergencyPlan, outsidePlan, planOfSteps } from '#server/dialplan/plan.ts'
import { giveBack, onwardFor, placeBehind, type Sending } from '#server/dialplan/sending.ts'
import { speakRefusal } from '#server/dialplan/spoken-refusal.ts'
import type { ParkedStory, Parking, Surroundings } from '#server/features/parking.ts'
import { FlowRunner, type FlowSurroundings } from '#server/flows/flow-runner.ts'
import { answeredLeg, type CallerLeg, Ringing } from '#server/flows/ringing.ts'
import type { Against, OutboundGuard } from '#server/outbound/guard.ts'
import type { Replaces } from '#sip/dialog/replaces.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

export interface ConductNeeds {
  prompts: Prompts
  guard: OutboundGuard
  /** The leg of a company whose dialog one of its phones names in a REFER. */
  legReferredTo: (tenant: string, replaces: Replaces) => Leg | null
  /** An id for a recording. */
  recordingId: () => string
  parking: Parking
  conferences: Pick<Conferences, 'arrive' | 'restore' | 'find'>
  /** Two of a call have begun to talk. */
  began: (call: Call) => void
}

/** What is decided about a call when it begins. */
export interface Conducted {
  route: Route
  config: CompiledConfig
  dialled: string
  direction: CallDirection
  /** Wall time for opening hours. */
  clock: Clock
  /** The phone that has sent the call there: it has it again when the call is not let in. */
  sentBy?: EndpointRef
}

/** What a call keeps of that while it goes on. */
export type Inside = Pick<Conducted, 'config' | 'direction' | 'dialled'>

/** Takes a call from its route to its end: through a flow, or straight out, into a conversation. */
export class Conduct {
  #needs: ConductNeeds

  constructor(needs: ConductNeeds) {
    this.#needs = needs
  }

  begin(call: Call, caller: CallerLeg, as: Conducted): void {
    switch (as.route.kind) {
      case 'target':
        this.flow(call, caller, newRun(entryOf(as.route)), as).start(as.dialled)
        return
      case 'outside': {
        const against = this.#barred(call, as)
        if (against === null) this.#ring(call, caller, outsidePlan(as.route.number), as)
        else this.#refuse(call, caller, against, as)
        return
      }
      case 'emergency':
        call.tell({
          kind: 'alarm.raised',
          rule: 'emergency-call',
          severity: 'critical',
          detail: `${call.identity.from.number} dialled ${as.route.number}${placeOf(call, as.config)}`,
        })
        this.#ring(call, caller, emergencyPlan(as.route.number), as)
        return
      case 'refused':
        caller.leg.hangUp(as.route.outcome)
        call.end(as.route.outcome)
    }
  }

  /** A flow's run on a call: a new one, or one that an earlier life of the server had begun. */
  flow(call: Call, caller: CallerLeg, run: FlowRun, as: Omit<Conducted, 'route'>): FlowRunner {
    return new FlowRunner(call, caller, run, this.#surroundings(call, caller.leg, as))
  }

  /** What conversations of this call obey. */
  rules(as: Inside): ConversationRules {
    return {
      music: (call) => this.#music(call, as.config),
      ringback: ringbackOf(as.config),
      referred: (tenant, replaces) => this.#needs.legReferredTo(tenant, replaces),
      began: (call, legs) => {
        this.#record(call, legs, as)
        this.#needs.began(call)
      },
      placeFor: (call, number) =>
        this.#needs.parking.placeFor(call, number, this.#aroundParked(call, as)) ?? placeBehind(this.#sending(as), call, number),
      onward: (_call, number, by) => onwardFor(this.#sending(as), number, by.endpoint),
    }
  }

  #sending(as: Inside): Sending {
    return {
      config: as.config,
      roomOf: (tenant, id) => this.#needs.conferences.find(tenant, id),
      enter: (party, door, sent) => {
        const { call } = party
        this.begin(call, answeredLeg(party), { ...as, ...sent, route: { kind: 'target', target: door }, clock: call.needs.clock })
      },
    }
  }

  /** Whoever is not let into a conference goes back to who has sent them there. */
  #sent(leg: Leg, by: EndpointRef, as: Inside): Pick<RoomWanted, 'sent'> {
    const onRefused = (outcome: Outcome): void =>
      giveBack(leg, { by, to: as.dialled, outcome }, (legs) => converse(leg.call, legs, this.rules(as)))
    return { sent: { by, onRefused } }
  }

  /** A call that an earlier life of the server had parked waits on; false when that cannot be. */
  parked(call: Call, story: ParkedStory, as: Inside): boolean {
    return this.#needs.parking.resume(call, story, this.#aroundParked(call, as))
  }

  #aroundParked(call: Call, as: Inside): Surroundings {
    const { config } = as
    return {
      config,
      music: this.#music(call, config),
      onFetched: (party, by) => converse(call, [party, by], this.rules(as)),
      onForgotten: (party) => {
        const target = config.settled.features.afterParking
        if (target !== null) this.begin(call, answeredLeg(party), { ...as, route: { kind: 'target', target }, clock: call.needs.clock })
      },
    }
  }

  /** A call that was at a conference goes on there, or at its door; false when that cannot be. */
  inConference(call: Call, story: ConferenceStory | EntranceStory, as: Inside): boolean {
    const { config } = as
    const wanted = this.roomOf(call, story.conference, config)
    if (wanted === null) return false
    const leg = call.legs.find(({ id }) => id === story.leg)
    const by = 'sentBy' in story ? story.sentBy : null
    const sent = leg === undefined || by === null ? {} : this.#sent(leg, by, as)
    return this.#needs.conferences.restore(call, story, { ...wanted, ...sent })
  }

  /** A conference of the company as a call of it knows it; null: there is none of that id. */
  roomOf(call: Call, id: string, config: CompiledConfig): RoomWanted | null {
    const conference = config.conferences.get(id)
    if (conference === undefined) return null
    return { conference, timeZone: config.company.timezone, music: this.#music(call, config) }
  }

  #toConference(call: Call, leg: Leg, id: string, as: Inside & { sentBy?: EndpointRef }): void {
    const wanted = this.roomOf(call, id, as.config)
    const sent = as.sentBy === undefined ? {} : this.#sent(leg, as.sentBy, as)
    if (wanted !== null) this.#needs.conferences.arrive(call, leg, { ...wanted, ...sent })
    else {
      const outcome: Outcome = { kind: 'failed', by: 'us', detail: `there is no conference ${id}` }
      leg.hangUp(outcome)
      call.end(outcome)
    }
  }

  #surroundings(call: Call, caller: Leg, as: Omit<Conducted, 'route'>): FlowSurroundings {
    return {
      book: as.config,
      clock: as.clock,
      sounds: (prompts) => this.#sounds(call, as.config, prompts),
      plan: (ring) => planOfSteps(as.config, ring.steps, shownOf(ring.callerId)),
      ringback: ringbackOf(as.config),
      record: (on, mailTo) => {
        if (on && recordingOf(call) === null) Recording.start(call, caller, { id: this.#needs.recordingId(), mailTo })
        else if (!on) call.stopRecordings()
      },
      onConference: (leg, id) => this.#toConference(call, leg, id, as),
      onAnswered: (one, other) => converse(call, [one, other], this.rules(as)),
    }
  }

  #ring(call: Call, caller: CallerLeg, plan: RingPlan, as: Conducted): void {
    const left = caller.leg.onEnded.on((outcome) => {
      ringing.stop(outcome)
      call.end(outcome)
    })
    const ringing = new Ringing(call, caller, plan, {
      ringback: ringbackOf(as.config),
      music: [],
      onAnswered: (callee) =>
        caller.answer(() => {
          left[Symbol.dispose]()
          converse(call, [caller.leg, callee], this.rules(as))
        }),
      onUnanswered: (outcome) => {
        left[Symbol.dispose]()
        this.#unanswered(call, caller, outcome, as)
      },
    })
  }

  #unanswered(call: Call, caller: CallerLeg, outcome: Outcome, as: Conducted): void {
    const prompts = outcome.kind === 'unreachable' || outcome.kind === 'overloaded' ? (as.config.outbound?.refusal.unreachable ?? []) : []
    speakRefusal(call, caller, { sounds: this.#sounds(call, as.config, prompts), outcome })
  }

  #barred(call: Call, as: Conducted): Against | null {
    if (as.route.kind !== 'outside') return null
    const { asker, tenant } = call.identity
    return this.#needs.guard.check(as.config, { tenant, device: asker.kind === 'device' ? asker.id : null }, as.route.number)
  }

  #refuse(call: Call, caller: CallerLeg, against: Against, as: Conducted): void {
    const outcome: Outcome = { kind: 'barred', by: 'us', sip: 403, detail: against.detail }
    call.tell({ kind: 'call.refused', reason: against.detail, rule: against.rule, sip: 403 })
    const refusal = as.config.outbound?.refusal
    const prompts = against.kind === 'capped' ? refusal?.capped : refusal?.barred
    speakRefusal(call, caller, { sounds: this.#sounds(call, as.config, prompts ?? []), outcome })
  }

  #sounds(call: Call, config: CompiledConfig, prompts: readonly string[]): ReturnType<Prompts['sounds']> {
    return this.#needs.prompts.sounds(call.identity.tenant, config, prompts)
  }

  #music(call: Call, config: CompiledConfig): readonly PlayItem[] {
    const number = config.numbers.get(call.identity.called ?? '')
    const sounds = this.#sounds(call, config, number?.musicOnHold ?? config.settled.musicOnHold)
    if (!Array.isArray(sounds) || sounds.length === 0) return softTone
    return sounds.map(({ file }) => ({ kind: 'file', file }))
  }

  /** A policy of the company that covers this conversation starts a recording, or widens the one that goes on already. */
  #record(call: Call, legs: readonly [Leg, Leg], as: Inside): void {
    // Most companies record nothing.
    if (as.config.recordings.length === 0) return
    const extensions = legs.filter((leg) => leg.endpoint.kind === 'device').map((leg) => leg.endpoint.number)
    const policies = recordingsFor(as.config, { direction: as.direction, number: as.dialled, extensions })
    if (policies.length === 0) return
    const mailTo = [...new Set(policies.flatMap((policy) => policy.mailTo ?? []))]
    const keepDays = keepDaysOf(policies)
    const wish = { mailTo, ...(keepDays !== undefined && { keepDays }) }
    const running = recordingOf(call)
    if (running === null) Recording.start(call, legs[0], { id: this.#needs.recordingId(), ...wish })
    else running.widen(wish)
  }
}

/** Where the phone stands that calls, if that is known. */
function placeOf(call: Call, config: CompiledConfig): string {
  const { asker } = call.identity
  const device = asker.kind === 'device' ? config.devices.get(asker.id) : undefined
  return device?.location == null ? '' : ` at phone ${device.ownName}, ${device.location}`
}

/** The one that goes on; null: none does. */
function recordingOf(call: Call): Recording | null {
  for (const part of call.parts) if (part instanceof Recording && part.isOn) return part
  return null
}

function entryOf(route: Extract<Route, { kind: 'target' }>): Parameters<typeof newRun>[0] {
  // Through the extension, so that phones and journal know it by its number.
  return route.extension === undefined || 'flow' in route.target ? route.target : { extension: route.extension.id }
}

function shownOf(callerId: string): Shown {
  return callerId === 'company' || callerId === 'caller' ? callerId : { number: callerId }
}

function ringbackOf(config: CompiledConfig): readonly PlayItem[] {
  return [{ kind: 'tone', tone: 'ringback', plan: config.settled.tones }]
}

/** Better than silence, which sounds like a dropped call: a short soft beep now and then. */
const softTone: readonly PlayItem[] = [
  { kind: 'tone', tone: 'beep', ms: 200 },
  { kind: 'silence', ms: 4_800 },
]
