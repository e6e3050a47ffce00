import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Silence } from '#test/survival/talker.ts'

/** How much processor time the engine's thread has had by an instant (ms of Unix time). */
export interface EngineSample {
  at: number
  spentMs: number
}

/**
 * Looks at what the media engine does, 200 times a second, by what the system says of its thread (proc_pid_schedstat). While it waits for a processor,
 * or for something to do, a silence is not its doing.
 */
export class EngineWatch implements AsyncDisposable {
  readonly #worker: Worker | null

  constructor(pid: number) {
    this.#worker = existsSync(`/proc/${pid}/schedstat`)
      ? new Worker(new URL('engine-watch-worker.ts', import.meta.url), { workerData: pid })
      : null
  }

  /**
   * Since this was last asked: of these silences the longest as far as the engine was at work during it, ms, all of it where nobody can tell; and how
   * often the machine itself stood still, which to each process is as if it had worked all the while.
   */
  async blame(silences: readonly Silence[]): Promise<{ blamedMs: number; halts: number }> {
    const samples = await this.#take()
    const blamedMs = Math.max(0, ...silences.map((silence) => Math.min(silence.to - silence.from, frameMs + atWork(samples, silence))))
    const halts = samples?.filter(({ at }, nth) => at - (samples[nth - 1]?.at ?? at) >= haltMs).length ?? 0
    return { blamedMs, halts }
  }

  async #take(): Promise<readonly EngineSample[] | null> {
    if (this.#worker === null) return null
    this.#worker.postMessage('take')
    const [samples] = (await once(this.#worker, 'message')) as [EngineSample[]]
    return samples
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }
}

const frameMs = 20
/** Nothing but the machine keeps a thread that does nothing else for so long from what it does each 5 ms. */
const haltMs = 200

function atWork(samples: readonly EngineSample[] | null, { from, to }: Silence): number {
  if (samples === null) return Number.POSITIVE_INFINITY
  const before = samples.findLast(({ at }) => at <= from) ?? samples[0]
  const after = samples.find(({ at }) => at >= to) ?? samples.at(-1)
  return before === undefined || after === undefined ? Number.POSITIVE_INFINITY : after.spentMs - before.spentMs
}
