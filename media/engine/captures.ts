import { resolve } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { PacketCapture } from '#media/capture/packet-capture.ts'
import type { EndpointId } from '#media/engine.ts'
import type { Command } from '#media/engine/protocol.ts'
import type { PortPair } from '#media/socket/socket.ts'

/** The packet captures of an engine, one of an endpoint at most. They end with it. */
export class Captures {
  readonly #clock: Clock
  readonly #folder: string
  readonly #running = new Map<EndpointId, PacketCapture>()

  constructor({ clock, folder }: { clock: Clock; folder: string }) {
    this.#clock = clock
    this.#folder = folder
  }

  /** Starts one, instead of one under way. An endpoint without sockets has nothing to capture. */
  start(command: Extract<Command, { kind: 'capture' }>, pair: PortPair | null): void {
    this.stop(command.id)
    if (pair !== null)
      this.#running.set(command.id, new PacketCapture(this.#clock, pair, { ...command, file: resolve(this.#folder, command.file) }))
  }

  stop(id: EndpointId): void {
    this.#running.get(id)?.[Symbol.dispose]()
    this.#running.delete(id)
  }
}
