import type { Flow } from '#sip/agent.ts'

/** No place. */
export const NOWHERE = -1

const FIRST_ROOM = 64

/** What is known of each answered request, by place, and which was answered first. A place stays the same for as long as it is taken. */
export class AnsweredColumns {
  size = 0
  /** NOWHERE when none is taken. */
  oldest = NOWHERE
  until = new Float64Array(FIRST_ROOM)
  isProved = new Uint8Array(FIRST_ROOM)
  repeats = new Uint32Array(FIRST_ROOM)
  /** Null: nothing is in this place. */
  readonly callIds: (string | null)[] = []
  readonly flows: (Flow | null)[] = []
  /** Which of the others of its Call-ID it is, nearly always. */
  exact = new Int32Array(FIRST_ROOM)
  /** The CSeq number, where a copy may come. */
  merge = new Float64Array(FIRST_ROOM)
  /** The place that was taken before it by another of its Call-ID. */
  before = new Int32Array(FIRST_ROOM)
  /** Where the answer lies, and behind it the two keys that it is found by. */
  readonly chunks: (Buffer | null)[] = []
  at = new Uint32Array(FIRST_ROOM)
  length = new Uint32Array(FIRST_ROOM)
  keyLength = new Uint32Array(FIRST_ROOM)
  mergeLength = new Uint32Array(FIRST_ROOM)
  /** In the order in which they were taken. Of places that are free: which one is to be taken after it. */
  #younger = new Int32Array(FIRST_ROOM)
  #older = new Int32Array(FIRST_ROOM)
  #youngest = NOWHERE
  #free = NOWHERE

  /** There is room for more than a few. */
  get isLarge(): boolean {
    return this.until.length > FIRST_ROOM
  }

  /** A place, as the youngest. All but what is given here is to be set. */
  take(callId: string, flow: Flow): number {
    const place = this.#free === NOWHERE ? this.#another() : this.#free
    if (place === this.#free) this.#free = this.#younger[place] ?? NOWHERE
    this.callIds[place] = callId
    this.flows[place] = flow
    this.#older[place] = this.#youngest
    this.#younger[place] = NOWHERE
    if (this.#youngest === NOWHERE) this.oldest = place
    else this.#younger[this.#youngest] = place
    this.#youngest = place
    this.size++
    return place
  }

  /** It is taken. */
  giveBack(place: number): void {
    const older = this.#older[place] ?? NOWHERE
    const younger = this.#younger[place] ?? NOWHERE
    if (older === NOWHERE) this.oldest = younger
    else this.#younger[older] = younger
    if (younger === NOWHERE) this.#youngest = older
    else this.#older[younger] = older
    this.callIds[place] = null
    this.flows[place] = null
    this.chunks[place] = null
    this.#younger[place] = this.#free
    this.#free = place
    this.size--
  }

  /** One that was never taken. */
  #another(): number {
    const place = this.callIds.length
    if (place === this.until.length) this.#grow(2 * place)
    this.callIds.push(null)
    this.flows.push(null)
    this.chunks.push(null)
    return place
  }

  #grow(room: number): void {
    this.until = wider(this.until, new Float64Array(room))
    this.isProved = wider(this.isProved, new Uint8Array(room))
    this.repeats = wider(this.repeats, new Uint32Array(room))
    this.exact = wider(this.exact, new Int32Array(room))
    this.merge = wider(this.merge, new Float64Array(room))
    this.before = wider(this.before, new Int32Array(room))
    this.at = wider(this.at, new Uint32Array(room))
    this.length = wider(this.length, new Uint32Array(room))
    this.keyLength = wider(this.keyLength, new Uint32Array(room))
    this.mergeLength = wider(this.mergeLength, new Uint32Array(room))
    this.#younger = wider(this.#younger, new Int32Array(room))
    this.#older = wider(this.#older, new Int32Array(room))
  }
}

function wider<Column extends Float64Array | Int32Array | Uint32Array | Uint8Array>(column: Column, into: Column): Column {
  into.set(column)
  return into
}
