import type { Call, Part } from '#calls/call.ts'
import type { KeptRecording } from '#calls/kept.ts'
import type { Leg } from '#calls/leg.ts'
import type { RecordingHandle } from '#media/engine.ts'

/**
 * Records what a leg hears and says, from now until it is closed or the leg ends. A recorder that fails is a fact, never the end of a
 * call.
 */
export class Recording implements Part {
  readonly records = true
  #call: Call
  #handle: RecordingHandle | null
  #over = false

  private constructor(call: Call, leg: Leg, kept: KeptRecording, handle: RecordingHandle | null) {
    this.#call = call
    this.#handle = handle
    follow(call, leg, kept)
    call.recording(kept, true)
    call.own(this)
  }

  static start(call: Call, leg: Leg, wish: Pick<KeptRecording, 'id' | 'mailTo' | 'keepDays'>): Recording {
    const kept = { ...wish, leg: leg.id, file: call.needs.archive.place(call.identity.tenant, wish.id) }
    const recording = new Recording(call, leg, kept, leg.media.endpoint.record(kept.file))
    call.tell({ kind: 'recording.started', recording: wish.id })
    return recording
  }

  /** Takes over a recording that went on while the server was away; it ends with its leg. */
  static adopt(call: Call, leg: Leg, kept: KeptRecording): Recording {
    return new Recording(call, leg, kept, null)
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#call.disown(this)
    this.#handle?.stop()
  }
}

/** The end of a recording may come after that of its call. */
function follow(call: Call, leg: Leg, kept: KeptRecording): void {
  leg.media.attach({
    onRecorded: (done) => {
      if (done.file !== kept.file) return
      call.recording(kept, false)
      call.tell({ kind: 'recording.ended', recording: kept.id, ms: done.ms, bytes: done.bytes })
      const { mailTo, keepDays } = kept
      const wish = { recording: kept.id, mailTo, ...(keepDays !== undefined && { keepDays }) }
      call.needs.archive.finished({ tenant: call.identity.tenant, call: call.id, ...wish, ...done })
    },
    onRecordFailed: (file, why) => {
      if (file !== kept.file) return
      call.recording(kept, false)
      call.tell({ kind: 'recording.failed', recording: kept.id, why })
    },
  })
}
