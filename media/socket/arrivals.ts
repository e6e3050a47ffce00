import { arrivedAt, errorName, EVENTS_AT_ONCE, gather, lookAt, openGathering, ungather, watch, whyNot } from '#media/socket/system-calls.ts'

/**
 * How many datagrams are taken before the event loop goes on with what else there is: each socket that has something gives one in turn, so that
 * whoever floods one, or many, does not keep the others waiting.
 */
const MOST_AT_ONCE = 512
/** While more sockets wait than one look can name: several of one socket together cost less, as all that they need is at hand in the processor's caches. */
const MOST_IN_A_ROW = 8

/** A socket that is told of what has arrived for it. */
export interface Arriving {
  /** Hands on at most about `most` datagrams. What that cost of a turn: 1 for each packet that is passed on, more for what takes longer. */
  take(most: number): number
  /** The last `take` left nothing, as far as the socket knows. */
  readonly isEmptied: boolean
}

/** All sockets of this process that somebody listens on, behind one descriptor that libuv watches. */
export class Arrivals {
  readonly #gathering: number
  readonly #watch: { begin(): void; end(): void }
  /** By descriptor. */
  readonly #sockets: (Arriving | undefined)[] = []
  #open = 0
  #isDue = false

  private constructor(gathering: number) {
    this.#gathering = gathering
    const begun = watch(gathering, () => this.#arrived())
    if (begun === null) throw new Error('libuv does not watch the descriptor')
    this.#watch = begun
    // Nothing calls into this process once it is being taken down.
    process.once('exit', () => this.#watch.end())
  }

  static open(): Arrivals {
    const gathering = openGathering()
    if (gathering < 0) throw new Error(`no descriptor to gather sockets with (${errorName(gathering)})`)
    return new Arrivals(gathering)
  }

  /** A socket is open: the process lives until it is closed. */
  opened(): void {
    if (this.#open++ === 0) this.#watch.begin()
  }

  closed(): void {
    if (--this.#open === 0) this.#watch.end()
  }

  /** False: the system refused, and the socket hears nothing. */
  listen(fd: number, socket: Arriving): boolean {
    this.#sockets[fd] = socket
    return gather(this.#gathering, fd)
  }

  ignore(fd: number): void {
    this.#sockets[fd] = undefined
    ungather(this.#gathering, fd)
  }

  /** Called by C, where nothing may be thrown: the work is done in the same turn of the event loop, where ticks and promises go on behind it. */
  #arrived(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(this.#take)
  }

  #take = (): void => {
    this.#isDue = false
    let isBehind = false
    for (let left = MOST_AT_ONCE; left > 0; ) {
      const count = lookAt(this.#gathering)
      if (count <= 0) return
      const most = isBehind ? MOST_IN_A_ROW : 1
      isBehind = count === EVENTS_AT_ONCE
      let isEmptied = !isBehind
      for (let i = 0; i < count; i++) {
        const socket = this.#sockets[arrivedAt(i)]
        left -= socket?.take(most) ?? 1
        isEmptied &&= socket?.isEmptied === true
      }
      // All that there was has been taken: libuv tells of what comes now.
      if (isEmptied) return
    }
  }
}

let arrivals: Arrivals | null = null

/** Those of this process; null where `whyNotDirect` says so. */
export function theArrivals(): Arrivals | null {
  return whyNotDirect() === null ? arrivals : null
}

/** Why sockets cannot be opened by direct system calls here; null: they can. */
export function whyNotDirect(): string | null {
  if (whyNot !== null) return whyNot
  try {
    arrivals ??= Arrivals.open()
    return null
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}
