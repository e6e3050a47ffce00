import type { Clock } from '#base/clock.ts'
import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { FlowBook } from '#flows/book.ts'
import { resume, step } from '#flows/interpreter.ts'
import type { FlowEffect, FlowInput, FlowRing, FlowRun, Token } from '#flows/types.ts'
import type { EndpointEvents, PlayId, PlayItem } from '#media/engine.ts'
import type { RingPlan } from '#calls/needs.ts'
import { unreachable } from '#base/unreachable.ts'
import { Ringing, type CallerLeg } from '#server/flows/ringing.ts'

/** What running a flow needs from the company around it. */
export interface FlowSurroundings {
  book: FlowBook
  /** The call's clock: the wall time of a rehearsed call is the one it pretends. */
  clock: Clock
  /** Sounds of prompts, in order; those that cannot be had are left out. */
  sounds: (prompts: readonly string[]) => Promise<readonly PromptSound[]> | readonly PromptSound[]
  plan: (ring: FlowRing) => RingPlan
  ringback: readonly PlayItem[]
  record: (on: boolean, mailTo: readonly string[]) => void
  /** The caller, who has been answered, goes into a conference. */
  onConference: (caller: Leg, conference: string) => void
  /** Somebody took the call: the two are to be joined. */
  onAnswered: (caller: Leg, callee: Leg) => void
}
export interface PromptSound {
  prompt: string
  file: string
  ms: number
  text?: string
}

/** The part of a call's story from which a restarted server goes on. */
export interface FlowStory {
  kind: 'flow'
  leg: string
  run: FlowRun
}

/**
 * Walks one caller through a flow: inputs from the call go to the pure interpreter, its effects are done to the call, in order. Effects wait
 * while the caller is being answered; inputs do not.
 */
export class FlowRunner implements Part {
  #call: Call
  #caller: CallerLeg
  #around: FlowSurroundings
  #run: FlowRun
  #queue = nothing
  /** So many of the queue are done. */
  #done = 0
  #answering = false
  #plays = new Map<Token, { play: PlayId | null; sounds: readonly PromptSound[] }>()
  #timers = new Map<Token, Disposable>()
  #ringing: { token: Token; at: Ringing | null } | null = null
  readonly #listening = new Disposals()
  readonly #heard: EndpointEvents = { onPlayed: (play, why, ms) => this.#played(play, why, ms) }
  #over = false

  constructor(call: Call, caller: CallerLeg, run: FlowRun, around: FlowSurroundings) {
    this.#call = call
    this.#caller = caller
    this.#run = run
    this.#around = around
    call.own(this)
    caller.leg.media.attach(this.#heard)
    this.#listening.use(caller.leg.onDigit.on((digit) => this.#input({ kind: 'digit', now: this.#now(), digit })))
    this.#listening.use(caller.leg.onEnded.on((outcome) => this.#callerLeft(outcome)))
  }

  /** The caller's. */
  get leg(): Leg {
    return this.#caller.leg
  }

  /** What led the caller here. */
  get dialled(): string {
    return this.#run.dialled
  }

  start(dialled: string): void {
    const { leg } = this.#caller
    // Whom somebody called, and then sent here.
    const { number, name } = leg.role === 'callee' ? leg.endpoint : this.#call.identity.from
    const known = number === '' ? null : number
    const caller = name === undefined ? { number: known } : { number: known, name }
    this.#input({ kind: 'started', now: this.#now(), caller, dialled })
  }

  /** After a restart of the server: what was being played, rung or waited for begins again. */
  resume(): void {
    if (this.#run.state.name === 'new') this.start(this.#run.dialled)
    this.#take(resume(this.#run))
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#call.disown(this)
    this.#listening[Symbol.dispose]()
    for (const timer of this.#timers.values()) timer[Symbol.dispose]()
    for (const token of [...this.#plays.keys()]) this.#stopPlay(token)
    this.#timers.clear()
    this.#stopRing({ kind: 'cancelled', by: 'us' })
    this.#letGo()
  }

  /** Nothing more is to be heard of the caller: what they talk afterwards does not keep the flow in memory. */
  #letGo(): void {
    if (this.#over && this.#plays.size === 0) this.#caller.leg.media.detach(this.#heard)
  }

  #now(): number {
    return this.#around.clock.wall()
  }

  #input(input: FlowInput): void {
    if (this.#over) return
    const { run, effects } = step(this.#around.book, this.#run, input)
    this.#run = run
    this.#call.story = { kind: 'flow', leg: this.#caller.leg.id, run } satisfies FlowStory
    this.#take(effects)
  }

  #take(effects: readonly FlowEffect[]): void {
    this.#queue = this.#queue.length === 0 ? effects : [...this.#queue.slice(this.#done), ...effects]
    this.#done = 0
    this.#work()
  }

  #work(): void {
    while (!this.#answering && !this.#over) {
      const effect = this.#queue[this.#done]
      if (effect === undefined) {
        this.#queue = nothing
        return
      }
      this.#done++
      this.#do(effect)
    }
  }

  #do(effect: FlowEffect): void {
    switch (effect.kind) {
      case 'answer':
        this.#answering = true
        this.#caller.answer(() => {
          this.#answering = false
          this.#work()
        })
        return
      case 'play':
        this.#play(effect.token, effect.prompts)
        return
      case 'stopPlay':
        this.#stopPlay(effect.token)
        return
      case 'startTimer':
        this.#startTimer(effect.token, effect.ms)
        return
      case 'stopTimer':
        this.#timers.get(effect.token)?.[Symbol.dispose]()
        this.#timers.delete(effect.token)
        return
      case 'ring':
        this.#ring(effect)
        return
      case 'stopRing':
        this.#stopRing({ kind: 'cancelled', by: 'caller' })
        return
      case 'record':
        this.#around.record(effect.on, effect.mailTo)
        return
      case 'conference':
        this.close()
        this.#around.onConference(this.#caller.leg, effect.conference)
        return
      case 'hangup':
        this.#hangUp(effect.outcome)
        return
      case 'fact':
        this.#call.tell(effect.fact)
        return
      default:
        unreachable(effect)
    }
  }

  #hangUp(outcome: Outcome): void {
    this.close()
    this.#caller.leg.hangUp(outcome)
    this.#call.end(outcome)
  }

  #callerLeft(outcome: Outcome): void {
    this.#input({ kind: 'caller-hung-up', now: this.#now() })
    this.close()
    // The company's greeting answered, nobody of the company did.
    this.#call.end(outcome.kind === 'answered' ? { ...outcome, kind: 'abandoned' } : outcome)
  }

  #play(token: Token, prompts: readonly string[]): void {
    this.#plays.set(token, { play: null, sounds: [] })
    const sounds = this.#around.sounds(prompts)
    if (sounds instanceof Promise) {
      sounds.then(
        (found) => this.#begin(token, found),
        () => this.#begin(token, []),
      )
    } else this.#begin(token, sounds)
  }

  #begin(token: Token, sounds: readonly PromptSound[]): void {
    if (this.#over || !this.#plays.has(token)) return
    if (sounds.length === 0) {
      this.#plays.delete(token)
      this.#input({ kind: 'played', now: this.#now(), token, failed: true })
      return
    }
    const play = this.#caller.leg.media.endpoint.play(itemsOf(sounds))
    this.#plays.set(token, { play, sounds })
  }

  #stopPlay(token: Token): void {
    const playing = this.#plays.get(token)
    if (playing === undefined) return
    if (playing.play === null) this.#plays.delete(token)
    else this.#caller.leg.media.endpoint.stop(playing.play)
  }

  /** A play of ours came to an end, or a stopped one tells how far it got. */
  #played(play: PlayId, why: 'ended' | 'stopped' | 'replaced' | 'failed', ms: number): void {
    for (const [token, playing] of this.#plays) {
      if (playing.play !== play) continue
      this.#plays.delete(token)
      this.#tellPlayed(playing.sounds, ms)
      this.#letGo()
      if (why === 'ended' || why === 'failed') this.#input({ kind: 'played', now: this.#now(), token, failed: why === 'failed' })
      return
    }
  }

  #tellPlayed(sounds: readonly PromptSound[], ms: number): void {
    let left = ms
    for (const sound of sounds) {
      const heard = Math.min(left, sound.ms)
      left -= heard
      if (heard <= 0 && sound.ms > 0) return
      this.#call.tell({
        kind: 'prompt.played',
        leg: this.#caller.leg.id,
        prompt: sound.prompt,
        ms: Math.round(heard),
        whole: heard >= sound.ms - 40,
        ...(sound.text !== undefined && { text: sound.text }),
      })
    }
  }

  #startTimer(token: Token, ms: number): void {
    const timer = this.#call.needs.clock.after(ms, () => {
      this.#timers.delete(token)
      this.#input({ kind: 'timer', now: this.#now(), token })
    })
    this.#timers.set(token, timer)
  }

  #ring(effect: Extract<FlowEffect, { kind: 'ring' }>): void {
    const { token } = effect
    const ringing: { token: Token; at: Ringing | null } = { token, at: null }
    this.#ringing = ringing
    const music = this.#around.sounds(effect.music ?? [])
    const at = new Ringing(this.#call, this.#caller, this.#around.plan(effect.plan), {
      ringback: this.#around.ringback,
      music: music instanceof Promise ? [] : itemsOf(music),
      onAnswered: (callee) => {
        this.#ringing = null
        this.#input({ kind: 'rung', now: this.#now(), token, outcome: 'answered' })
        this.#join(callee)
      },
      onUnanswered: (outcome) => {
        if (this.#ringing === ringing) this.#ringing = null
        this.#input({ kind: 'rung', now: this.#now(), token, outcome: outcome.kind })
      },
    })
    ringing.at = at
    if (music instanceof Promise)
      void music.then(
        (sounds) => (at.music = itemsOf(sounds)),
        () => undefined,
      )
  }

  #join(callee: Leg): void {
    const { leg } = this.#caller
    this.close()
    if (leg.state === 'talking') {
      this.#around.onAnswered(leg, callee)
      return
    }
    const watch = leg.onEnded.on((outcome) => this.#call.end(outcome))
    this.#caller.answer(() => {
      watch[Symbol.dispose]()
      this.#around.onAnswered(leg, callee)
    })
  }

  #stopRing(outcome: Outcome): void {
    const ringing = this.#ringing
    this.#ringing = null
    ringing?.at?.stop(outcome)
  }
}

const nothing: readonly FlowEffect[] = []

function itemsOf(sounds: readonly PromptSound[]): PlayItem[] {
  return sounds.map(({ file }) => ({ kind: 'file', file }))
}
