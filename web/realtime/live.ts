import type { StreamMessage } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import { Api } from '#web/access/api.ts'
import { type Board, boardOf, endedKept, reduce, withHistory } from '#web/calls/reducer.ts'
import { EventStream, type Link } from '#web/realtime/event-stream.ts'

/** What the page shows, as one value; a new one after every change. */
export interface Seen {
  link: Link
  /** Null until the first snapshot. While reconnecting: as things stood last. */
  board: Board | null
  /** The facts of each call heard since the snapshot: they go on where a timeline that was asked for ends. */
  facts: ReadonlyMap<string, readonly Fact[]>
  /** A call that began a moment ago, to be announced. */
  newest: string | null
}

/** Changes are shown at most so often, however many facts come. */
const paintMs = 16

/** The live side of the page, apart from React: hears the stream, keeps the board, tells whoever watches. */
export class Live {
  readonly api: Api
  readonly #stream: EventStream
  #seen: Seen = { link: 'connecting', board: null, facts: new Map(), newest: null }
  #shown: Seen = this.#seen
  #watchers = new Set<() => void>()
  #painting: ReturnType<typeof setTimeout> | null = null

  constructor(key: string) {
    this.api = new Api(key)
    this.#stream = new EventStream(key, {
      onMessage: (message) => this.#hear(message),
      onLink: (link) => this.#set({ ...this.#seen, link }),
      isRefused: async () => {
        const answer = await this.api.ping()
        return answer.kind === 'refused' && (answer.problem.status === 401 || answer.problem.status === 403)
      },
    })
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }
  readonly seen = (): Seen => this.#shown

  close(): void {
    this.#stream.close()
    if (this.#painting !== null) clearTimeout(this.#painting)
  }

  #hear(message: StreamMessage): void {
    if (message.kind === 'snapshot') {
      this.#set({ ...this.#seen, board: boardOf(message), facts: new Map() })
      void this.#recall()
    } else if (message.kind === 'fact') this.#take(message.fact)
  }

  /** What ended before the server started is in its history only. Without it (a database that is away) the page shows what it has. */
  async #recall(): Promise<void> {
    const answer = await this.api.history(endedKept)
    const { board } = this.#seen
    if (answer.kind === 'ok' && board !== null) this.#set({ ...this.#seen, board: withHistory(board, answer.value.calls) })
  }

  #take(fact: Fact): void {
    const { board, facts } = this.#seen
    if (board === null) return
    // Extensions and trunks may have come or gone: only a snapshot says which.
    if (fact.kind === 'config.changed') this.#stream.renew()
    const next = reduce(board, fact)
    const kept = new Map([...facts].filter(([call]) => next.calls.some((c) => c.id === call) || next.ended.some((c) => c.id === call)))
    if (fact.call !== undefined) kept.set(fact.call, [...(facts.get(fact.call) ?? []), fact])
    this.#set({ ...this.#seen, board: next, facts: kept, newest: fact.kind === 'call.started' ? (fact.call ?? null) : this.#seen.newest })
  }

  #set(seen: Seen): void {
    this.#seen = seen
    this.#painting ??= setTimeout(() => {
      this.#painting = null
      this.#shown = this.#seen
      for (const watcher of this.#watchers) watcher()
    }, paintMs)
  }
}
