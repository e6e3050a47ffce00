import { setFlagsFromString, getHeapStatistics } from 'node:v8'
import { createContext, runInContext } from 'node:vm'
import { parentPort, workerData } from 'node:worker_threads'
import { type FuzzHost, fuzz } from '#tools/fuzz/loop.ts'
import { fuzzTargets } from '#tools/fuzz/targets.ts'

/** Attacks one target in a thread of its own, so that a hang can be seen and ended from outside. */
export interface FuzzTask {
  target: string
  seed: number
  milliseconds: number
  /** Four bytes count executions, four give the length of the input now running, then the input. */
  shared: SharedArrayBuffer
}

const { target: name, seed, milliseconds, shared } = workerData as FuzzTask
const counters = new Int32Array(shared, 0, 2)
const current = new Uint8Array(shared, 8)

setFlagsFromString('--expose-gc')
const collect = runInContext('gc', createContext()) as () => void

const MOST_COLLECTIONS = 4

const host: FuzzHost = {
  // Of this thread alone: on a busy machine others' time would count as the parser's.
  now: () => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  },
  liveBytes() {
    // Buffers found dead are freed beside us: a collection finishes what the one before began.
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < MOST_COLLECTIONS; i++) {
      collect()
      const { used_heap_size, external_memory } = getHeapStatistics()
      least = Math.min(least, used_heap_size + external_memory)
    }
    return least
  },
  about(input) {
    current.set(input)
    Atomics.store(counters, 1, input.length)
    Atomics.add(counters, 0, 1)
  },
}

const load = fuzzTargets[name]
if (load === undefined) throw new Error(`no fuzz target ${name}`)
const target = await load()
// Loading takes its time; only then the clock runs.
const endsAt = performance.now() + milliseconds
const report = fuzz(target, seed, host, (executions) => executions % 16 === 0 && performance.now() >= endsAt)
parentPort?.postMessage(report)
