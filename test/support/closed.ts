import type { Socket } from 'node:net'

/** Resolves when a connection is closed, or was before. How does not matter: who hangs up on what nobody has read resets it. */
export function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}
