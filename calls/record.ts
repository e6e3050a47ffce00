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
  #kept: KeptRecording
  #over = false

  private constructor(call: Call, leg: Leg, kept: KeptRecording, handle: RecordingHandle | null) {
    this.#call = call
    this.#handle = handle
    this.#kept = kept
    this.#follow(leg)
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

  /** It runs on a leg that is still in the call; one whose leg has been transferred away is about to end. */
  get isOn(): boolean {
    return !this.#over && this.#call.legs.some((leg) => leg.id === this.#kept.leg)
  }

  /** More is recorded than was thought when it began, as when the call goes over to somebody of whom another policy speaks: all are sent it, and the longest time counts. */
  widen({ mailTo, keepDays }: Pick<KeptRecording, 'mailTo' | 'keepDays'>): void {
    const { keepDays: before, ...kept } = this.#kept
    const longest = longerKept(before, keepDays)
    this.#kept = { ...kept, mailTo: [...new Set([...kept.mailTo, ...mailTo])], ...(longest !== undefined && { keepDays: longest }) }
    this.#call.recording(this.#kept, true)
  }

  close(): void {
    if (this.#over) return
    this.#leave()
    this.#handle?.stop()
  }

  #leave(): void {
    this.#over = true
    this.#call.disown(this)
  }

  /** The end of a recording may come after that of its call. */
  #follow(leg: Leg): void {
    const call = this.#call
    leg.media.attach({
      onRecorded: (done) => {
        const { id, file, mailTo, keepDays } = this.#kept
        if (done.file !== file) return
        this.#leave()
        call.recording(this.#kept, false)
        call.tell({ kind: 'recording.ended', recording: id, ms: done.ms, bytes: done.bytes })
        const wish = { recording: id, mailTo, ...(keepDays !== undefined && { keepDays }) }
        call.needs.archive.finished({ tenant: call.identity.tenant, call: call.id, ...wish, ...done })
      },
      onRecordFailed: (file, why) => {
        if (file !== this.#kept.file) return
        this.#leave()
        call.recording(this.#kept, false)
        call.tell({ kind: 'recording.failed', recording: this.#kept.id, why })
      },
    })
  }
}

/** The longer of two times to keep something, days; undefined: for good. */
export function longerKept(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b)
}
