import { Call } from '#calls/call.ts'
import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { Monitor, type MonitorStory } from '#calls/monitor.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { Ring } from '#calls/ring.ts'
import type { EndpointRef, MonitorMode } from '#contract/facts.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import type { CompiledConfig, CompiledMonitoring } from '#server/config/compiled.ts'
import type { Books } from '#server/dialplan/books.ts'
import { planOf } from '#server/dialplan/plan.ts'

export interface MonitorsNeeds {
  readonly live: LiveCalls
  readonly books: Books
}

/** Who wants to listen to whom, by extension numbers. */
export interface MonitorWish {
  readonly tenant: string
  readonly call: string
  readonly by: string
  readonly agent: string
  readonly mode: MonitorMode
}

/** Why nobody listens. `not-talking`: that extension does not talk with anybody in that call now. */
export type NotMonitored = { refused: 'no-such-call' | 'not-allowed' | 'not-talking' | 'not-a-phone'; detail: string }

/** How long the supervisor's own phone rings. */
const ownPhoneMs = 30_000

/** The policy under which one may do this to another; null: none does. */
export function policyFor(
  config: CompiledConfig,
  { by, agent, mode }: Pick<MonitorWish, 'by' | 'agent' | 'mode'>,
): CompiledMonitoring | null {
  const covers = ({ supervisors, agents, modes }: CompiledMonitoring): boolean =>
    supervisors.has(by) && (agents === null || agents.has(agent)) && modes.has(mode)
  return by === agent ? null : (config.monitoring.find(covers) ?? null)
}

/** Supervisors with people who talk. */
export class Monitors {
  readonly #needs: MonitorsNeeds
  readonly #monitors = new Map<string, Monitor>()

  constructor(needs: MonitorsNeeds) {
    this.#needs = needs
  }

  /** Those of a company, by the supervisors' calls. */
  *of(tenant: string): Iterable<readonly [id: string, monitor: Monitor]> {
    for (const [id, monitor] of this.#monitors) if (monitor.supervisor.call.identity.tenant === tenant) yield [id, monitor]
  }

  get(tenant: string, id: string): Monitor | null {
    const monitor = this.#monitors.get(id)
    return monitor?.supervisor.call.identity.tenant === tenant ? monitor : null
  }

  /** Whether a running one may go on in another mode, by the policy of today. */
  mayChange(monitor: Monitor, mode: MonitorMode): boolean {
    return this.#allows(monitor.supervisor, monitor.agent)(mode)
  }

  /** Calls the supervisor's phone; whoever answers it is with the agent. @returns the supervisor's call. */
  begin(calls: CallNeeds, wish: MonitorWish): Call | NotMonitored {
    const { tenant, by } = wish
    const book = this.#needs.books.current(tenant)
    const agent = this.#needs.live.get(tenant, wish.call)?.legs.find(({ endpoint }) => endpoint.number === wish.agent)
    if (book === null || agent === undefined)
      return { refused: 'no-such-call', detail: `extension ${wish.agent} is in no call ${wish.call}` }
    const policy = policyFor(book.config, wish)
    if (policy === null)
      return { refused: 'not-allowed', detail: `no monitoring document lets extension ${by} ${wish.mode} at extension ${wish.agent}` }
    if (talkOf(agent) === null) return { refused: 'not-talking', detail: `extension ${wish.agent} does not talk with anybody now` }
    const extension = book.config.extensions.get(by)
    const plan = extension === undefined ? null : planOf(book.config, { target: extension.target, extension })
    const device = plan?.steps.flatMap(({ targets }) => targets).find(({ kind }) => kind === 'device')
    if (plan === null || device?.kind !== 'device') return { refused: 'not-a-phone', detail: `extension ${by} is not a phone` }

    const name = book.config.devices.get(device.id)?.name
    const from = { number: by, ...(name !== undefined && { name }) }
    const asker: EndpointRef = { kind: 'device', id: device.id, ...from }
    const call = new Call(calls, { tenant, call: calls.random.hex(10), config: book.version, from, asker })
    this.#needs.live.add(call)
    const longest = book.config.settled.maxCallMinutes
    call.limit(longest * 60_000, { kind: 'too-long', by: 'us', detail: `the longest call is ${longest} minutes` })
    agent.onEnded.on(() => call.end({ kind: 'cancelled', by: 'nobody', detail: 'whoever was to be listened to has left the call' }))
    call.tell({ kind: 'call.started', direction: 'internal', from, to: { number: wish.agent }, config: book.version })
    const steps = plan.steps.map((step) => ({ ...step, ms: ownPhoneMs }))
    new Ring(call, { steps, as: 'caller', namePrefix: `${wish.mode} ${wish.agent}` }, agent, {
      onRinging: () => undefined,
      onAnswered: (supervisor) => {
        const allows = this.#allows(supervisor, agent)
        this.#follow(new Monitor({ supervisor, agent, mode: wish.mode, tone: policy.tone, allows }))
      },
      onUnanswered: ({ detail }) => call.end({ kind: 'not-begun', by: 'caller', ...(detail !== undefined && { detail }) }),
    })
    return call
  }

  /** Somebody has begun to talk in a call: whoever is with them comes along. */
  began(call: Call): void {
    for (const monitor of this.#monitors.values()) if (monitor.agent.call === call) monitor.attend()
  }

  /** After a restart of the server, once every call is there again; false when whom it was about is gone. */
  restore(call: Call, story: MonitorStory): boolean {
    const supervisor = call.legs.find(({ id }) => id === story.supervisor)
    const agent = this.#needs.live.get(call.identity.tenant, story.call)?.legs.find(({ id }) => id === story.agent)
    if (supervisor === undefined || agent === undefined) return false
    const allows = this.#allows(supervisor, agent)
    this.#follow(new Monitor({ supervisor, agent, mode: story.mode, tone: story.tone, allows }, { isAdopted: true }))
    return true
  }

  #allows(supervisor: Leg, agent: Leg): (mode: MonitorMode) => boolean {
    const names = { by: supervisor.endpoint.number, agent: agent.endpoint.number }
    return (mode) => {
      const config = this.#needs.books.current(supervisor.call.identity.tenant)?.config
      return config !== undefined && policyFor(config, { ...names, mode }) !== null
    }
  }

  #follow(monitor: Monitor): void {
    const { call } = monitor.supervisor
    if (call.outcome !== null) return
    this.#monitors.set(call.id, monitor)
    call.ended.on(() => this.#monitors.delete(call.id))
  }
}
