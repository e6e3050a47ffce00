import type { Millis } from '#base/clock.ts'
import { G711_PER_MS } from '#media/codec/g711.ts'

/** A piece of sound ready to send: G.711 octets, repeated to make up the length. Shared by everybody who plays it; never changed. */
export interface Clip {
  /** One round; empty: silence. */
  octets: Buffer
  /** Octets in all, at 8 per millisecond; Infinity: endless. */
  length: number
}

export function silentClip(ms: Millis): Clip {
  return { octets: NOTHING, length: Math.max(0, Math.round(ms)) * G711_PER_MS }
}

const NOTHING = Buffer.alloc(0)
