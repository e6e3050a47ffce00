import type { Fact } from '#contract/facts.ts'

/** The facts of one call from two sources, each once, in order. */
export function mergeFacts(some: readonly Fact[], others: readonly Fact[]): readonly Fact[] {
  const bySeq = new Map([...some, ...others].map((fact) => [fact.seq, fact]))
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq)
}
