import { ReplayWindow } from '#media/srtp/replay-window.ts'

const SEQUENCES = 65_536
const HALF = 32_768

/** The extended sequence numbers of one SSRC in one direction: rollover counter and replay window (RFC 3711 §3.3.1, §3.3.2). */
export class PacketIndex {
  readonly ssrc: number
  /** Rollovers of the highest packet. */
  roc: number
  readonly window = new ReplayWindow()
  #highest = -1

  constructor(ssrc: number, roc = 0) {
    this.ssrc = ssrc
    this.roc = roc
  }

  /** Whether a packet of this stream was had. */
  get begun(): boolean {
    return this.#highest >= 0
  }

  /** The rollover counter that a packet most probably was sent under (RFC 3711 §A); -1: it is from before the stream began. */
  guess(sequence: number): number {
    const highest = this.#highest
    if (highest < 0) return this.roc
    if (highest < HALF) return sequence - highest > HALF ? this.roc - 1 : this.roc
    return highest - HALF > sequence ? this.roc + 1 : this.roc
  }

  isNew(roc: number, sequence: number): boolean {
    return this.window.isNew(roc * SEQUENCES + sequence)
  }

  /** Takes an authentic packet in; true when the rollover counter changed. */
  note(roc: number, sequence: number): boolean {
    this.window.note(roc * SEQUENCES + sequence)
    const rolledOver = roc > this.roc
    if (rolledOver || this.#highest < 0 || (roc === this.roc && sequence > this.#highest)) {
      this.#highest = sequence
      this.roc = roc
    }
    return rolledOver
  }
}
