import type { Clock, Millis } from '#base/clock.ts'
import { InLine, OldestFirst } from '#base/oldest-first.ts'

const SLOTS = 64
/** 64^8 ticks of 10 ms outlast any process. */
const LEVELS = 8
const LONGEST = SLOTS ** (LEVELS - 1)
/** From here on a timer ends a wait or clears away: nobody sees a fraction of a second, and each tick that fires wakes the process. */
const LONG_MS: Millis = 2_000

/**
 * Many timers over one clock timer: starting and stopping are O(1) and allocate nothing. A timer never fires early, and at
 * most one granule late; timers of one granule fire in the order they were started.
 *
 * A hierarchical wheel (Varghese and Lauck, scheme 7): level 0 holds the ticks of the current block of 64, level 1 the other
 * blocks of the current 64·64, and so on; when time reaches a slot of a higher level, its timers move down.
 */
export class TimerWheel {
  readonly #clock: Clock
  readonly #granuleMs: Millis
  readonly #levels: Level[] = Array.from({ length: LEVELS }, () => new Level())
  /** The last tick that was run. */
  #tick: number
  /** The tick for which the clock is armed; Infinity when it is not. */
  #armedTick = Number.POSITIVE_INFINITY
  #armed: Disposable | null = null
  #turning = false
  #size = 0
  #lateMs = 0
  #ranAt: Millis

  /** Timers of `LONG_MS` and more fire in steps of so many ticks. */
  readonly #longStep: number

  /** `granuleMs`: the resolution, default 10 ms. `longGranuleMs`: that of timers of 2 s and more, by default the same. */
  constructor(clock: Clock, granuleMs: Millis = 10, longGranuleMs: Millis = granuleMs) {
    this.#clock = clock
    this.#granuleMs = granuleMs
    this.#longStep = Math.max(1, Math.round(longGranuleMs / granuleMs))
    this.#ranAt = clock.now()
    this.#tick = Math.floor(this.#ranAt / granuleMs)
  }

  /** A stopped timer that runs `task` when it fires. It may be started again and again, one run at a time. */
  timer(task: () => void): WheelTimer {
    return new WheelTimer(this, task)
  }

  /** Runs `task` once. For timers that need not be kept. */
  after(ms: Millis, task: () => void): WheelTimer {
    const timer = this.timer(task)
    timer.start(ms)
    return timer
  }

  /** A clock that sets its timers on the wheel: cheap, never early, and late by up to a granule, long ones by up to a long granule. */
  asClock(): Clock {
    return { now: () => this.#clock.now(), wall: () => this.#clock.wall(), after: (ms, task) => this.after(ms, task) }
  }

  /** Timers running now: a leak check. */
  get size(): number {
    return this.#size
  }

  now(): Millis {
    return this.#clock.now()
  }

  /** How late the last turn came, beyond the granule: the lag of the event loop. Zero when the last turn is over a second old. */
  get latenessMs(): Millis {
    return this.#clock.now() - this.#ranAt > 1000 ? 0 : this.#lateMs
  }

  /** Used by `WheelEntry`. */
  add(timer: WheelEntry, ms: Millis): void {
    const now = this.#clock.now()
    const current = Math.floor(now / this.#granuleMs)
    if (this.#size === 0 && !this.#turning) this.#tick = current
    const exact = Math.ceil((now + ms) / this.#granuleMs)
    const wanted = ms < LONG_MS ? exact : Math.ceil(exact / this.#longStep) * this.#longStep
    // Never within the granule that runs now, whether or not the wheel has come to it: a task that starts itself anew cannot hold up a turn.
    timer.tick = Math.min(Math.max(wanted, current + 1, this.#tick + 1), this.#tick + LONGEST)
    this.#place(timer)
    this.#size++
    if (!this.#turning && timer.tick < this.#armedTick) this.#arm(timer.tick)
  }

  /** Used by `WheelEntry`. The clock stays armed: waking up for nothing is cheaper than arming anew each time. */
  remove(timer: WheelEntry): void {
    timer.line?.delete(timer)
    this.#size--
    if (this.#size === 0 && !this.#turning) this.#disarm()
  }

  #place(timer: WheelEntry): void {
    let level = 0
    let unit = 1
    // The level is that of the highest base-64 digit in which the timer's tick and the current tick differ, so that which list
    // a tick belongs to depends on nothing else, and lists keep the order of starting.
    while (level < LEVELS - 1 && Math.floor(timer.tick / (unit * SLOTS)) !== Math.floor(this.#tick / (unit * SLOTS))) {
      level++
      unit *= SLOTS
    }
    this.#levels[level]?.slots[Math.floor(timer.tick / unit) % SLOTS]?.add(timer)
  }

  #turn(): void {
    const now = this.#clock.now()
    const last = Math.floor(now / this.#granuleMs)
    this.#lateMs = Math.max(0, now - (this.#armedTick + 1) * this.#granuleMs)
    this.#ranAt = now
    this.#armed = null
    this.#armedTick = Number.POSITIVE_INFINITY
    this.#turning = true
    try {
      for (let next = this.#nextTick(); next <= last; next = this.#nextTick()) this.#runTick(next)
      this.#tick = Math.max(this.#tick, last)
    } finally {
      this.#turning = false
      if (this.#size > 0) this.#arm(this.#nextTick())
    }
  }

  #runTick(tick: number): void {
    this.#tick = tick
    this.#moveDown(tick)
    const due = this.#levels[0]?.slots[tick % SLOTS]
    for (let timer = due?.take(); timer !== undefined; timer = due?.take()) {
      this.#size--
      timer.fire()
    }
  }

  #moveDown(tick: number): void {
    for (let level = LEVELS - 1; level > 0; level--) {
      const unit = SLOTS ** level
      if (tick % unit !== 0) continue
      const list = this.#levels[level]?.slots[(tick / unit) % SLOTS]
      for (let timer = list?.take(); timer !== undefined; timer = list?.take()) this.#place(timer)
    }
  }

  /** The next tick at which something fires or moves down; Infinity when nothing waits. */
  #nextTick(): number {
    let unit = 1
    for (const level of this.#levels) {
      const position = Math.floor(this.#tick / unit)
      // The current slot counts too: a turn that a throwing task cut short left timers in it.
      for (let slot = unit === 1 ? position % SLOTS : (position % SLOTS) + 1; slot < SLOTS; slot++) {
        if ((level.slots[slot]?.size ?? 0) > 0) return (position - (position % SLOTS) + slot) * unit
      }
      unit *= SLOTS
    }
    return Number.POSITIVE_INFINITY
  }

  #arm(tick: number): void {
    this.#disarm()
    this.#armedTick = tick
    this.#armed = this.#clock.after(Math.max(0, Math.ceil(tick * this.#granuleMs - this.#clock.now())), () => this.#turn())
  }

  #disarm(): void {
    this.#armed?.[Symbol.dispose]()
    this.#armed = null
    this.#armedTick = Number.POSITIVE_INFINITY
  }
}

/** One timer of a wheel, whatever it does when it fires. Its owner starts and stops it; disposing stops it. */
export abstract class WheelEntry extends InLine<WheelEntry> implements Disposable {
  /** Of the wheel. */
  declare tick: number
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel) {
    super()
    this.tick = 0
    this.#wheel = wheel
  }

  get running(): boolean {
    return this.line !== null
  }

  /** Fires once, `ms` from now; a running timer is moved. */
  start(ms: Millis): void {
    this.stop()
    this.#wheel.add(this, ms)
  }

  /** Idempotent. A stopped timer does not fire. */
  stop(): void {
    if (this.line !== null) this.#wheel.remove(this)
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** Used by the wheel. */
  abstract fire(): void
}

/** A timer that runs a task. */
export class WheelTimer extends WheelEntry {
  readonly #task: () => void

  constructor(wheel: TimerWheel, task: () => void) {
    super(wheel)
    this.#task = task
  }

  override fire(): void {
    this.#task()
  }
}

class Level {
  readonly slots = Array.from({ length: SLOTS }, () => new OldestFirst<WheelEntry>())
}
