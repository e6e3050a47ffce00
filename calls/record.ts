import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { RecordingHandle } from '#media/engine.ts'

/**
 * Records what a leg hears and says, from now to the leg's end or `stop`. A recorder that fails is a fact and an alarm, never the
 * end of a call.
 */
export class Recording implements Part {
  readonly id: string
  #call: Call
  #handle: RecordingHandle
  #over = false

  constructor(call: Call, leg: Leg, id: string) {
    this.id = id
    this.#call = call
    const { tenant } = call.identity
    const file = call.needs.archive.place(tenant, id)
    leg.media.attach({
      onRecorded: (done) => {
        if (done.file !== file) return
        call.tell({ kind: 'recording.ended', recording: id, ms: done.ms, bytes: done.bytes })
        call.needs.archive.finished({ tenant, call: call.id, recording: id, ...done })
      },
      onRecordFailed: (failed, why) => {
        if (failed === file) call.tell({ kind: 'recording.failed', recording: id, why })
      },
    })
    this.#handle = leg.media.endpoint.record(file)
    call.tell({ kind: 'recording.started', recording: id })
    call.own(this)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#call.disown(this)
    this.#handle.stop()
  }
}
