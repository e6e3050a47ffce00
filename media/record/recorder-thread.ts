import { Worker } from 'node:worker_threads'
import type { FromWorker, ToWorker } from '#media/record/messages.ts'

/** What a recorder needs of the thread that does its work. */
export interface RecorderThread {
  post(message: ToWorker): void
  /** While held, the thread keeps the process alive. */
  hold(held: boolean): void
  end(): Promise<void>
}

/** Who hears of a thread: its messages, and once how it ended. `cause` is null when it was told to. */
export interface ThreadEvents {
  told(message: FromWorker): void
  ended(cause: string | null): void
}

export type StartThread = (events: ThreadEvents) => RecorderThread

/** A worker thread of this process. */
export const startWorkerThread: StartThread = (events) => {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'recorder' })
  let ending = false
  let cause = 'the thread exited'
  worker.on('message', (message: FromWorker) => events.told(message))
  worker.on('error', (error) => {
    cause = String(error)
  })
  worker.on('exit', () => events.ended(ending ? null : cause))
  return {
    post: (message) => worker.postMessage(message, message.kind === 'frames' ? [message.buffer] : []),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    async end() {
      ending = true
      await worker.terminate()
    },
  }
}
