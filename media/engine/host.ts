import type { Log } from '#base/log.ts'
import { type CoreNeeds, EngineCore } from '#media/engine/core.ts'
import { Outbox } from '#media/engine/outbox.ts'
import { type Command, type Event, PROTOCOL_VERSION } from '#media/engine/protocol.ts'

/** One server's way to hear from an engine. */
export interface ServerLine {
  /** `mayWait`: nobody waits for it, so that it may go out with what is said a little later. */
  send(event: Event, mayWait?: boolean): void
  /** No more is said. */
  end(): void
}

/** An engine and the one server that owns it. Between two servers it goes on as it was told last. */
export class EngineHost {
  /** Names this life of the engine: after a restart it is another one. */
  readonly life: string
  readonly core: EngineCore
  readonly #log: Log
  readonly #outbox = new Outbox()
  #owner: ServerLine | null = null

  constructor(needs: CoreNeeds) {
    this.life = needs.random.hex(8)
    this.#log = needs.log
    this.core = new EngineCore(needs, (id, event) => {
      const numbered = this.#outbox.add(id, event)
      this.#owner?.send(numbered, event.kind === 'closed')
    })
    needs.stock.onAdded = (added) => this.#owner?.send({ kind: 'stock', added })
  }

  /** A command that came over `line`. Until it has attached, and after another server has, a line has no say. */
  take(line: ServerLine, command: Command): void {
    if (command.kind === 'attach') this.#attach(line, command)
    else if (line !== this.#owner) this.#log.debug('a command of a server that does not own this engine is ignored', { kind: command.kind })
    else if (command.kind === 'seen') this.#outbox.seen(command.number)
    else if (command.kind === 'sweep') this.core.sweep(command.keep)
    else this.core.handle(command)
  }

  /** The line is gone: its server died or let go. Everything goes on. */
  lost(line: ServerLine): void {
    if (line === this.#owner) this.#owner = null
  }

  #attach(line: ServerLine, { version, life, seen }: Extract<Command, { kind: 'attach' }>): void {
    const { core } = this
    if (version !== PROTOCOL_VERSION) {
      this.#log.error('a server that speaks another version may not attach', { version, ours: PROTOCOL_VERSION })
      line.end()
      return
    }
    const earlier = this.#owner
    this.#owner = line
    if (earlier !== null && earlier !== line) {
      earlier.send({ kind: 'fenced' })
      earlier.end()
    }
    if (life === this.life) this.#outbox.seen(seen)
    const { stock } = core
    line.send({
      kind: 'welcome',
      version: PROTOCOL_VERSION,
      life: this.life,
      capacity: stock.capacity,
      stock: stock.free,
      endpoints: core.living,
    })
    for (const event of this.#outbox.waiting) line.send(event)
    line.send({ kind: 'ready' })
  }
}
