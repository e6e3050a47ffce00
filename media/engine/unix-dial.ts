import type { Dial } from '#media/engine/link.ts'
import type { Command, Event } from '#media/engine/protocol.ts'
import { connectToPath } from '#media/socket/unix-line.ts'

/** Reaches the engine process that listens on a Unix domain socket. */
export function dialUnix(path: string): Dial {
  return (events) => connectToPath<Event, Command>(path, events)
}
