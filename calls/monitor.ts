import { Disposals } from '#base/disposal.ts'
import type { MonitorMode } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Guest } from '#calls/bridge.ts'
import type { Part } from '#calls/call.ts'
import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import type { MixTerms } from '#media/engine.ts'

/** Who listens to whom, and how. */
export interface Monitoring {
  /** Talks, in a call of its own. */
  readonly supervisor: Leg
  /** Whoever is listened to with the other party, in their call. */
  readonly agent: Leg
  readonly mode: MonitorMode
  /** The agent hears a tone whenever the supervisor comes, or may be heard by others than before. */
  readonly tone: boolean
  /** Modes that the supervisor may change to. */
  readonly allows: (mode: MonitorMode) => boolean
}

/** Keys by which the supervisor's phone changes the mode. */
const modesByKey: ReadonlyMap<string, MonitorMode> = new Map([
  ['4', 'listen'],
  ['5', 'whisper'],
  ['6', 'barge'],
])

/** What a restarted server finds a supervisor's call by. */
export interface MonitorStory {
  readonly kind: 'monitor'
  readonly supervisor: string
  /** The call and leg of the agent. */
  readonly call: string
  readonly agent: string
  readonly mode: MonitorMode
  readonly tone: boolean
}

/**
 * A supervisor with somebody who talks: listens, whispers or barges in. The conversation goes through a room meanwhile and is joined again
 * afterwards. While the agent talks with nobody (asks a colleague, transfers) the supervisor waits; it ends with the agent's leg or its own.
 */
export class Monitor implements Part, Guest {
  readonly supervisor: Leg
  readonly agent: Leg
  readonly #tone: boolean
  readonly #allows: (mode: MonitorMode) => boolean
  readonly #listening = new Disposals()
  #mode: MonitorMode
  #visit: Disposable | null = null
  #over = false

  /** `isAdopted`: goes on after a restart of the server, and nobody is told anew. */
  constructor({ supervisor, agent, mode, tone, allows }: Monitoring, { isAdopted = false } = {}) {
    this.supervisor = supervisor
    this.agent = agent
    this.#mode = mode
    this.#tone = tone
    this.#allows = allows
    supervisor.call.own(this)
    this.#listening.use(supervisor.onEnded.on((outcome) => supervisor.call.end(outcome)))
    this.#listening.use(agent.onEnded.on(() => supervisor.call.end(agentLeft)))
    this.#listening.use(supervisor.onDigit.on((digit) => this.#pressed(digit)))
    if (!isAdopted) {
      const started = { kind: 'monitor.started', ...this.#names, agent: agent.endpoint.number, mode, told: tone } as const
      agent.call.tell(started)
      supervisor.call.tell(started)
    }
    if (agent.state === 'ended') supervisor.call.end(agentLeft)
    else {
      this.attend()
      if (!isAdopted) this.#warn()
    }
  }

  get mode(): MonitorMode {
    return this.#mode
  }

  change(mode: MonitorMode): void {
    if (this.#over || mode === this.#mode || !this.#allows(mode)) return
    this.#mode = mode
    this.agent.call.tell({ kind: 'monitor.changed', ...this.#names, mode })
    if (this.#visit !== null) this.#mix()
    this.#remember()
    this.#warn()
  }

  /** Joins what the agent talks in now. Called again whenever a conversation has begun; without one, or when there already, nothing changes. */
  attend(): void {
    const talk = talkOf(this.agent)
    this.#remember()
    if (this.#over || this.#visit !== null || talk === null) return
    this.#visit = talk.bridge.admit(this)
    this.#mix()
  }

  onParted(): void {
    this.#visit = null
    this.supervisor.media.endpoint.part()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.supervisor.call.disown(this)
    this.supervisor.media.endpoint.part()
    this.#visit?.[Symbol.dispose]()
    this.#visit = null
    if (this.agent.call.outcome === null) this.agent.call.tell({ kind: 'monitor.ended', ...this.#names })
  }

  get #names(): { leg: string; monitor: string; by: string } {
    return { leg: this.agent.id, monitor: this.supervisor.call.id, by: this.supervisor.endpoint.number }
  }

  #mix(): void {
    const talk = talkOf(this.agent)
    if (talk !== null) this.supervisor.media.endpoint.mix(talk.bridge.room, termsOf(this.#mode, this.agent))
  }

  #pressed(digit: string): void {
    const mode = modesByKey.get(digit)
    if (mode !== undefined) this.change(mode)
  }

  #warn(): void {
    if (this.#tone) this.agent.media.endpoint.play([{ kind: 'tone', tone: 'beep', ms: 200 }])
  }

  #remember(): void {
    const { supervisor, agent } = this
    const names = { supervisor: supervisor.id, call: agent.call.id, agent: agent.id }
    supervisor.call.story = { kind: 'monitor', ...names, mode: this.#mode, tone: this.#tone } satisfies MonitorStory
  }
}

const agentLeft: Outcome = { kind: 'completed', by: 'us', detail: 'whoever was listened to has left the call' }

function termsOf(mode: MonitorMode, agent: Leg): MixTerms {
  switch (mode) {
    case 'listen':
      return { speaks: 0 }
    case 'whisper':
      return { heardBy: [agent.media.endpoint.id] }
    case 'barge':
      return {}
  }
}
