import { setTimeout as pause } from 'node:timers/promises'
import { runSipp } from '#tools/bench/load.ts'
import { idleMemory } from '#tools/bench/memory-rows.ts'
import { inHand } from '#tools/bench/trials/figures.ts'
import type { Trial } from '#tools/bench/trials/trial.ts'

/** Until a server that nobody uses has collected what its start has left (base/idle-collection.ts). */
const settledMs = 65_000

/** Memory of a system with a thousand phones that nobody calls. */
export const idle: Trial = {
  name: 'idle',
  async run(bench, { say }) {
    await runSipp(bench.load, { scenario: 'register', number: 'register', rate: 200, seconds: 5, holdMs: 0 })
    say(`At once: ${idleMemory(bench)}.`)
    await pause(settledMs)
    const { registrations, heapBytes } = await inHand(bench.system)
    say(`After ${settledMs / 1000} s, ${registrations} registrations, heap ${(heapBytes / 1e6).toFixed(1)} MB: ${idleMemory(bench)}.`)
  },
}
