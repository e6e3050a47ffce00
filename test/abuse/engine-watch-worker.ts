import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { EngineSample } from '#test/abuse/engine-watch.ts'

// The thread that looks at the engine: see engine-watch.ts.

const file = `/proc/${workerData as number}/schedstat`
let samples: EngineSample[] = []
setInterval(() => {
  const at = performance.timeOrigin + performance.now()
  samples.push({ at, spentMs: Number(readFileSync(file, 'latin1').split(' ')[0]) / 1e6 })
}, 5)
parentPort?.on('message', () => {
  parentPort?.postMessage(samples)
  samples = []
})
