import { parentPort } from 'node:worker_threads'
import { realDisk } from '#media/record/file-sink.ts'
import type { FromWorker, ToWorker } from '#media/record/messages.ts'
import { RecordingDesk } from '#media/record/recording-desk.ts'

/** The thread in which recordings are mixed, encoded and written: one per engine. */
if (parentPort !== null) {
  const port = parentPort
  const desk = new RecordingDesk(realDisk, (message: FromWorker) => {
    port.postMessage(message, message.kind === 'done' ? [message.buffer] : [])
  })
  port.on('message', (message: ToWorker) => void desk.handle(message))
}
