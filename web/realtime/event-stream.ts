import type { StreamMessage } from '#contract/api/calls.ts'
import { backOffMs } from '#web/realtime/back-off.ts'

/** `closed`: given up, since the key is not taken. */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'closed'

export interface StreamListener {
  onMessage: (message: StreamMessage) => void
  onLink: (link: Link) => void
  /** A connection failed before it said anything: whether the key is at fault. A browser does not tell why a WebSocket failed. */
  isRefused: () => Promise<boolean>
}

/** The event stream of the server, connected again as often as it breaks. Every connection begins with a snapshot. */
export class EventStream {
  readonly #key: string
  readonly #listener: StreamListener
  #socket: WebSocket | null = null
  #timer: ReturnType<typeof setTimeout> | null = null
  #attempts = 0
  #closed = false

  constructor(key: string, listener: StreamListener) {
    this.#key = key
    this.#listener = listener
    addEventListener('online', this.#hurry)
    listener.onLink('connecting')
    this.#open()
  }

  /** Takes a new snapshot. */
  renew(): void {
    this.#socket?.close()
  }

  close(): void {
    this.#closed = true
    removeEventListener('online', this.#hurry)
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#socket?.close()
  }

  #open(): void {
    this.#timer = null
    const url = new URL('/v1/events', location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url, ['centrala.v1', `key.${this.#key}`])
    this.#socket = socket
    let heard = false
    socket.addEventListener('message', (event) => {
      if (this.#closed) return
      const message = messageOf(event.data)
      if (message === null) return
      if (!heard) this.#listener.onLink('live')
      heard = true
      this.#attempts = 0
      if (message.kind === 'resync') this.renew()
      else this.#listener.onMessage(message)
    })
    socket.addEventListener('close', () => void this.#again(heard))
  }

  async #again(heard: boolean): Promise<void> {
    if (this.#closed) return
    this.#attempts++
    // A stream that worked is taken up at once, and nobody need be told unless that fails.
    if (!heard || this.#attempts > 1) this.#listener.onLink('reconnecting')
    if (!heard && (await this.#listener.isRefused())) {
      this.close()
      this.#listener.onLink('closed')
      return
    }
    if (this.#closed) return
    const spread = (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 255
    this.#timer = setTimeout(() => this.#open(), heard ? 0 : backOffMs(this.#attempts, spread))
  }

  /** The machine has a network again: no reason to wait. */
  #hurry = (): void => {
    if (this.#timer === null) return
    clearTimeout(this.#timer)
    this.#open()
  }
}

function messageOf(data: unknown): StreamMessage | null {
  if (typeof data !== 'string') return null
  try {
    const value = JSON.parse(data) as StreamMessage
    return ['snapshot', 'fact', 'resync'].includes(value.kind) ? value : null
  } catch {
    return null
  }
}
