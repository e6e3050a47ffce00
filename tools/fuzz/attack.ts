import { Worker } from 'node:worker_threads'
import type { FuzzReport } from '#tools/fuzz/loop.ts'
import { MAX_INPUT_BYTES } from '#tools/fuzz/target.ts'
import type { FuzzTask } from '#tools/fuzz/worker.ts'

/** No progress for so long is a hang. Far above any limit on one call, because the machine may be busy. */
const HANG_MS = 20_000

/** Runs one target in a worker for so many milliseconds. Resolves with its report; a hang, a crash or exhausted memory is a failure in it. */
export function attack(target: string, seed: number, milliseconds: number): Promise<FuzzReport> {
  const shared = new SharedArrayBuffer(8 + MAX_INPUT_BYTES)
  const counters = new Int32Array(shared, 0, 2)
  const workerData: FuzzTask = { target, seed, milliseconds, shared }
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData })
  return new Promise((resolve) => {
    let [seen, seenAt] = [-1, performance.now()]
    const watch = setInterval(() => {
      const executions = Atomics.load(counters, 0)
      if (executions !== seen) [seen, seenAt] = [executions, performance.now()]
      else if (performance.now() - seenAt > HANG_MS) fail('hung', `no end after ${HANG_MS / 1000} s`)
    }, 1000)
    const finish = (report: FuzzReport): void => {
      clearInterval(watch)
      void worker.terminate()
      resolve(report)
    }
    const fail = (kind: 'hung' | 'threw', detail: string): void => {
      const input = Uint8Array.from(new Uint8Array(shared, 8, Atomics.load(counters, 1)))
      const executions = Atomics.load(counters, 0)
      finish({ target, executions, outcomes: 0, slowestMs: 0, grownBytes: null, failures: [{ kind, detail, input }] })
    }
    worker.once('message', (report: FuzzReport) => finish(report))
    worker.once('error', (error) => fail('threw', error instanceof Error ? (error.stack ?? error.message) : String(error)))
  })
}
