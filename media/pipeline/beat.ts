import type { Millis } from '#base/clock.ts'

/** The engine's heartbeat. */
export const BEAT_MS: Millis = 20
