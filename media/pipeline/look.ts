import { type TimerWheel, WheelTimer } from '#base/timer-wheel.ts'

/** What is looked after now and then. */
export interface Housekept {
  housekeep(): void
}

/** The timer of one that is looked after. It calls it by itself, as a task of its own for each would live as long as the endpoint. */
export class Look extends WheelTimer {
  readonly #housekept: Housekept

  constructor(wheel: TimerWheel, housekept: Housekept) {
    super(wheel, nothing)
    this.#housekept = housekept
  }

  override fire(): void {
    this.#housekept.housekeep()
  }
}

function nothing(): void {}
