/** What a listener can be sent through: a WebSocket, or a test's. */
export interface Line {
  /** Bytes accepted and not yet gone. */
  readonly bufferedAmount: number
  send(text: string): void
  close(code: number, reason: string): void
}

/** A listener who falls this far behind is sent away with `resync`: it asks again and gets a fresh snapshot. */
const mostBehindBytes = 1024 * 1024

/** Sends in order to one listener; never waits, never grows without bound. */
export class Outbox {
  #line: Line
  #onLost: () => void
  #over = false

  constructor(line: Line, onLost: () => void) {
    this.#line = line
    this.#onLost = onLost
  }

  send(text: string): void {
    if (this.#over) return
    if (this.#line.bufferedAmount > mostBehindBytes) {
      this.#over = true
      this.#line.send('{"kind":"resync"}')
      this.#line.close(1013, 'too far behind: connect again')
      this.#onLost()
      return
    }
    this.#line.send(text)
  }
}
