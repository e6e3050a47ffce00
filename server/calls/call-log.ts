import type { Fact } from '#contract/facts.ts'
import { type CallRow, isOfRow, project } from '#server/history/index.ts'

interface Logged {
  tenant: string
  facts: Fact[]
  ended: boolean
}

/** Calls that ended are kept so long in memory: screens ask for them before the database has them. */
const endedKept = 500
/** No call needs more for its timeline; detail beyond is in the database only. */
const factsPerCall = 2_000
/** What a row is made of is taken for longer: legs that are not seen to end stay on screens. */
const rowFactsPerCall = 10_000

/** The facts of calls in progress and of those just ended, in memory: what screens and the event stream are made from. Bounded. */
export class CallLog {
  #calls = new Map<string, Logged>()
  /** The last that ended, each in the place of the one that ended `endedKept` calls before. */
  #ended: string[] = []
  #ends = 0

  /** Hears every fact, in order. */
  hear(fact: Fact): void {
    if (fact.call === undefined) return
    const logged = this.#calls.get(fact.call) ?? this.#begin(fact)
    if (logged === null || logged.tenant !== fact.tenant) return
    take(logged.facts, fact)
    if (fact.kind === 'call.ended') this.#end(fact.call, logged)
  }

  /**
   * Facts told before this process began, of a call that it takes over. They may come in two parts, since the first facts of a long call may
   * be in the database only; what is known already is not taken twice.
   */
  recall(tenant: string, call: string, facts: readonly Fact[]): void {
    const logged = this.#calls.get(call) ?? this.#enter(tenant, call)
    if (logged.tenant !== tenant) return
    const known = new Set(logged.facts.map(({ seq }) => seq))
    const fresh = facts.filter((fact) => fact.tenant === tenant && fact.call === call && !known.has(fact.seq))
    if (fresh.length === 0) return
    const story = [...logged.facts, ...fresh].sort((a, b) => a.seq - b.seq)
    logged.facts = []
    for (const fact of story) take(logged.facts, fact)
    if (logged.facts.some((fact) => fact.kind === 'call.ended')) this.#end(call, logged)
  }

  /** Whether a call's story is here from its beginning. */
  hasBeginning(tenant: string, call: string): boolean {
    return this.#of(tenant, call)?.facts[0]?.seq === 1
  }

  facts(tenant: string, call: string): readonly Fact[] | null {
    return this.#of(tenant, call)?.facts ?? null
  }
  row(tenant: string, call: string): CallRow | null {
    const logged = this.#of(tenant, call)
    return logged === null ? null : project(logged.facts)
  }

  /** Just ended, newest first. */
  ended(tenant: string, limit: number): CallRow[] {
    const rows: CallRow[] = []
    for (let back = 1; back <= this.#ended.length && rows.length < limit; back++) {
      const row = this.row(tenant, this.#ended[(this.#ends - back) % endedKept] ?? '')
      if (row !== null) rows.push(row)
    }
    return rows
  }

  #of(tenant: string, call: string): Logged | null {
    const logged = this.#calls.get(call)
    return logged?.tenant === tenant ? logged : null
  }

  #begin(fact: Fact): Logged | null {
    // A late fact of a call that is forgotten already is the database's business.
    if (fact.call === undefined || (fact.kind !== 'call.started' && fact.kind !== 'call.recovered')) return null
    return this.#enter(fact.tenant, fact.call)
  }

  #enter(tenant: string, call: string): Logged {
    const logged: Logged = { tenant, facts: [], ended: false }
    this.#calls.set(call, logged)
    return logged
  }

  #end(call: string, logged: Logged): void {
    if (logged.ended) return
    logged.ended = true
    const place = this.#ends++ % endedKept
    const before = this.#ended[place]
    if (before !== undefined) this.#calls.delete(before)
    this.#ended[place] = call
  }
}

/** A call ends whatever came before. */
function take(facts: Fact[], fact: Fact): void {
  if (facts.length < factsPerCall || (facts.length < rowFactsPerCall && isOfRow(fact)) || fact.kind === 'call.ended') facts.push(fact)
}
