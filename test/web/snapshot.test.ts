import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallView } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import { present } from '#server/calls/api.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { type Board, reduce } from '#web/calls/reducer.ts'

const tenant = 'demo'
const calls = ['c1', 'c2']
const legs = ['l1', 'l2', 'l3']
const outcomes: OutcomeKind[] = ['answered', 'answered-elsewhere', 'busy', 'no-answer', 'cancelled', 'barred', 'completed', 'failed']

const anyLeg = fc.constantFrom(...legs)
const anyOutcome = fc.record({
  kind: fc.constantFrom(...outcomes),
  by: fc.constantFrom('caller' as const, 'callee' as const, 'us' as const),
})
const anyEndpoint = fc.constantFrom(
  { kind: 'trunk' as const, id: 'carrier', number: '+48600000000' },
  { kind: 'device' as const, id: 'anna-desk', number: '100', name: 'Anna' },
)
const anyHappening = fc.oneof(
  fc.record({
    kind: fc.constant('leg.started' as const),
    leg: anyLeg,
    role: fc.constantFrom('caller' as const, 'callee' as const),
    endpoint: anyEndpoint,
  }),
  fc.record({ kind: fc.constant('leg.ringing' as const), leg: anyLeg, earlyMedia: fc.boolean() }),
  fc.record({ kind: fc.constant('leg.answered' as const), leg: anyLeg }),
  fc.record({ kind: fc.constantFrom('leg.held' as const, 'leg.resumed' as const), leg: anyLeg, by: fc.constant('callee' as const) }),
  fc.record({ kind: fc.constant('leg.ended' as const), leg: anyLeg, outcome: anyOutcome }),
  fc.record({ kind: fc.constant('call.recovered' as const), downMs: fc.nat(2_000) }),
  fc.record({ kind: fc.constant('recording.ended' as const), recording: fc.constantFrom('r1', 'r2'), ms: fc.nat(), bytes: fc.nat() }),
  fc.record({ kind: fc.constant('flow.entered' as const), flow: fc.constant('main') }),
  fc.record({ kind: fc.constant('call.ended' as const), outcome: anyOutcome }),
)

/** What happens in two calls, as the journal stamps it: numbered call by call, and a call ends once. */
const anyFacts = fc
  .array(fc.record({ call: fc.constantFrom(...calls), happening: anyHappening, afterMs: fc.nat(5_000) }), { maxLength: 60, size: 'max' })
  .map((happenings) => {
    let at = 1_000
    const lastSeq = new Map<string, number>()
    const known = new Set<string>()
    const facts: Fact[] = []
    const tell = (call: string, fact: object): void => {
      const seq = (lastSeq.get(call) ?? 0) + 1
      lastSeq.set(call, seq)
      facts.push({ ...fact, at, tenant, call, seq } as Fact)
    }
    for (const { call, happening, afterMs } of happenings) {
      at += afterMs
      if (!lastSeq.has(call)) {
        tell(call, { kind: 'call.started', direction: 'inbound', from: { number: '+48600000000' }, to: { number: '100' }, config: 1 })
      }
      const once = happening.kind === 'call.ended' ? call : happening.kind === 'leg.started' ? `${call} ${happening.leg}` : null
      if (once !== null && known.has(once)) continue
      if (once !== null) known.add(once)
      tell(call, happening)
    }
    return facts
  })

/** The calls of a snapshot that the server would give after these facts. */
function snapshot(facts: readonly Fact[]): Pick<Board, 'calls' | 'ended'> {
  const log = new CallLog()
  for (const fact of facts) log.hear(fact)
  const rows = [...new Set(facts.map((fact) => fact.call))].flatMap((call) => log.row(tenant, call ?? '') ?? [])
  const live: CallView[] = rows.filter((row) => row.endedAt === null).map(present)
  return { calls: live, ended: log.ended(tenant, 50).map(present) }
}

test('a snapshot and the facts that follow it show the same calls as a later snapshot', () => {
  fc.assert(
    fc.property(anyFacts, fc.double({ min: 0, max: 1, noNaN: true }), (facts, share) => {
      const cut = Math.floor(facts.length * share)
      const company = { id: tenant, name: 'Demo', timezone: 'UTC', number: null }
      const board: Board = { ...snapshot(facts.slice(0, cut)), extensions: [], trunks: [], conferences: [], may: 'act', company }
      const { calls, ended } = facts.slice(cut).reduce(reduce, board)
      assert.deepEqual({ calls, ended }, snapshot(facts))
    }),
    { numRuns: 500 },
  )
})
