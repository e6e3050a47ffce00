import type { Clock } from '#base/clock.ts'
import type { Fact, NewFact } from '#contract/facts.ts'
import type { OpenCall } from '#server/journal/face.ts'

/** How long the numbering of an ended call is remembered for late facts, and for how many calls at most. */
const lingerMs = 60_000
const lingerCalls = 20_000

/** What the journal knows of one call. */
interface Track {
  tenant: string
  seq: number
  lastAt: number
  /** Wall time minus monotonic time when the call was first seen: a jump of the machine's clock leaves the call's durations true. */
  offset: number
  legs: readonly string[]
  recordings: readonly string[]
  ended: boolean
}

const nothing: readonly string[] = []

/** Numbering as it stands in a checkpoint. */
export interface KeptNumbering {
  companies: [tenant: string, seq: number][]
  calls: [
    call: string,
    tenant: string,
    seq: number,
    lastAt: number,
    legs: readonly string[],
    recordings: readonly string[],
    ended: boolean,
  ][]
  /** Calls that have ended and linger, side by side for each company: there may be thousands. Absent in files of earlier versions. */
  ended?: [tenant: string, calls: (string | number)[]][]
}

/** Gives facts their instant and their number, and knows which calls are open. */
export class Numbering {
  #clock: Clock
  #calls = new Map<string, Track>()
  #companies = new Map<string, number>()
  /** Ended calls in order of their end, and when each ended; those before `#forgotten` are gone already. */
  #ended: string[] = []
  #endedAt: number[] = []
  #forgotten = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The fact, to which `at` and `seq` are added: the object is the journal's. */
  stamp(fact: NewFact): Fact {
    const call = fact.call
    if (call === undefined) {
      const seq = (this.#companies.get(fact.tenant) ?? 0) + 1
      this.#companies.set(fact.tenant, seq)
      return stamped(fact, Math.round(this.#clock.wall()), seq)
    }
    const track = this.#calls.get(call) ?? this.#track(call, fact.tenant)
    const at = Math.max(track.lastAt, Math.round(track.offset + this.#clock.now()))
    const whole = stamped(fact, at, track.seq + 1)
    this.#follow(track, whole)
    if (fact.kind === 'call.ended') this.#linger(call)
    return whole
  }

  /** Takes in a fact that was stamped by an earlier life of the journal. */
  replay(fact: Fact): void {
    if (fact.call === undefined) {
      this.#companies.set(fact.tenant, Math.max(fact.seq, this.#companies.get(fact.tenant) ?? 0))
      return
    }
    const track = this.#calls.get(fact.call) ?? this.#track(fact.call, fact.tenant)
    this.#follow(track, fact)
    if (fact.kind === 'call.ended') this.#linger(fact.call)
  }

  /** See `Journal.continueFrom`. */
  continueFrom(tenant: string, call: string | null, seq: number): void {
    if (call === null) {
      this.#companies.set(tenant, Math.max(seq, this.#companies.get(tenant) ?? 0))
      return
    }
    const known = this.#calls.get(call)
    const track = known ?? this.#track(call, tenant)
    track.seq = Math.max(track.seq, seq)
    if (known === undefined) {
      track.ended = true
      this.#linger(call)
    }
  }

  open(): OpenCall[] {
    const open: OpenCall[] = []
    for (const [call, { tenant, seq, lastAt, legs, recordings, ended }] of this.#calls) {
      if (!ended) open.push({ tenant, call, seq, lastAt, legs: [...legs], recordings: [...recordings] })
    }
    return open
  }

  toKept(): KeptNumbering {
    const calls: KeptNumbering['calls'] = []
    const ended = new Map<string, (string | number)[]>()
    for (const [call, t] of this.#calls) {
      if (!t.ended) calls.push([call, t.tenant, t.seq, t.lastAt, t.legs, t.recordings, false])
      else {
        let ofTenant = ended.get(t.tenant)
        if (ofTenant === undefined) ended.set(t.tenant, (ofTenant = []))
        ofTenant.push(call, t.seq, t.lastAt)
      }
    }
    return { companies: [...this.#companies], calls, ended: [...ended] }
  }

  fromKept(kept: KeptNumbering): void {
    for (const [tenant, seq] of kept.companies) this.#companies.set(tenant, seq)
    for (const [call, tenant, seq, lastAt, legs, recordings, ended] of kept.calls) {
      const track = this.#track(call, tenant)
      Object.assign(track, { seq, lastAt, legs: [...legs], recordings: [...recordings], ended })
      if (ended) this.#linger(call)
    }
    for (const [tenant, calls] of kept.ended ?? []) {
      for (let at = 0; at < calls.length; at += 3) this.#takeEnded(tenant, calls.slice(at, at + 3))
    }
  }

  #takeEnded(tenant: string, [call, seq, lastAt]: (string | number)[]): void {
    const track = this.#track(String(call), tenant)
    Object.assign(track, { seq, lastAt, ended: true })
    this.#linger(String(call))
  }

  #track(call: string, tenant: string): Track {
    const offset = this.#clock.wall() - this.#clock.now()
    const track: Track = { tenant, seq: 0, lastAt: 0, offset, legs: nothing, recordings: nothing, ended: false }
    this.#calls.set(call, track)
    return track
  }

  #follow(track: Track, fact: Fact): void {
    track.seq = Math.max(track.seq, fact.seq)
    track.lastAt = Math.max(track.lastAt, fact.at)
    if (track.ended) return
    switch (fact.kind) {
      case 'leg.started':
        if (!track.legs.includes(fact.leg)) track.legs = track.legs.concat(fact.leg)
        break
      case 'leg.ended':
        track.legs = track.legs.filter((leg) => leg !== fact.leg)
        break
      case 'recording.started':
        if (!track.recordings.includes(fact.recording)) track.recordings = track.recordings.concat(fact.recording)
        break
      case 'recording.ended':
      case 'recording.failed':
        track.recordings = track.recordings.filter((recording) => recording !== fact.recording)
        break
      case 'call.ended':
        // Thousands linger.
        track.ended = true
        track.legs = nothing
        track.recordings = nothing
        break
      default:
    }
  }

  /** Ended calls are forgotten after a while, so that numbering costs what is in progress. */
  #linger(call: string): void {
    const now = this.#clock.now()
    this.#ended.push(call)
    this.#endedAt.push(now)
    for (let old = this.#ended[this.#forgotten]; old !== undefined; old = this.#ended[this.#forgotten]) {
      const lingered = now - (this.#endedAt[this.#forgotten] ?? 0)
      if (lingered < lingerMs && this.#ended.length - this.#forgotten <= lingerCalls) break
      this.#calls.delete(old)
      this.#forgotten++
    }
    if (this.#forgotten > 1_000 && this.#forgotten * 2 > this.#ended.length) {
      this.#ended.splice(0, this.#forgotten)
      this.#endedAt.splice(0, this.#forgotten)
      this.#forgotten = 0
    }
  }
}

function stamped(fact: NewFact, at: number, seq: number): Fact {
  const whole = fact as Fact
  whole.at = at
  whole.seq = seq
  return whole
}
