import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** Peers that connect and stay. */
export interface CrowdSpec {
  to: { address: string; port: number }
  /** `127.<n>.0.x` for so many x. */
  network: number
  addresses: number
  /** Connections of each. */
  each: number
  /** Said by each at once, `{n}` being a number of its own; empty: nothing. */
  says: string
  /** Said by each bit by bit, one byte every so often; empty: nothing. */
  drips: string
  dripMs: number
}

/** Connections that were made and, by now, closed again by the other end. */
export interface CrowdTally {
  made: number
  refused: number
}

/** A crowd in a thread of its own. Resolves when everybody has tried. Disposing ends it. */
export class Crowd implements AsyncDisposable {
  readonly tally: CrowdTally
  readonly #worker: Worker

  private constructor(worker: Worker, tally: CrowdTally) {
    this.#worker = worker
    this.tally = tally
  }

  static async of(spec: CrowdSpec): Promise<Crowd> {
    const worker = new Worker(new URL('crowd-worker.ts', import.meta.url), { workerData: spec })
    const [tally] = (await once(worker, 'message')) as [CrowdTally]
    return new Crowd(worker, tally)
  }

  /** How it stands now. */
  async now(): Promise<CrowdTally> {
    this.#worker.postMessage('now')
    const [tally] = (await once(this.#worker, 'message')) as [CrowdTally]
    return tally
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }
}
