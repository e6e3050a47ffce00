import type { Millis } from '#base/clock.ts'
import { G711_PER_MS } from '#media/codec/g711.ts'
import { energy } from '#media/dtmf/goertzel.ts'

/** A stretch of audio that is silent, or is not. */
export interface Stretch {
  kind: 'silence' | 'sound'
  fromMs: Millis
  toMs: Millis
  /** Mean power in dB below full scale; -Infinity for digital silence. */
  levelDb: number
}

const BLOCK_MS = 20
const BLOCK = BLOCK_MS * G711_PER_MS

/**
 * Cuts audio into silence and sound. `silenceDb`: what is softer is silence (default -50 dB below full scale); `leastMs`: a
 * shorter pause or sound belongs to what is around it (default 200).
 */
export function stretches(pcm: Int16Array, options: { silenceDb?: number; leastMs?: Millis } = {}): Stretch[] {
  const { silenceDb = -50, leastMs = 200 } = options
  const blocks = Array.from({ length: Math.floor(pcm.length / BLOCK) }, (_, i) => levelDb(pcm, i * BLOCK, (i + 1) * BLOCK) > silenceDb)
  bridge(blocks, false, leastMs / BLOCK_MS)
  bridge(blocks, true, leastMs / BLOCK_MS)
  const found: Stretch[] = []
  for (let from = 0; from < blocks.length; ) {
    const to = runEnd(blocks, from)
    const stretch = { fromMs: from * BLOCK_MS, toMs: to * BLOCK_MS, levelDb: levelDb(pcm, from * BLOCK, to * BLOCK) }
    found.push({ kind: blocks[from] === true ? 'sound' : 'silence', ...stretch })
    from = to
  }
  return found
}

/** Mean power of a stretch of samples in dB below full scale. */
export function levelDb(pcm: Int16Array, from = 0, to = pcm.length): number {
  return 10 * Math.log10(energy(pcm, from, to) / Math.max(1, to - from) / 2 ** 30)
}

/** Gives runs of one kind that are shorter than `least` blocks, and have the other kind on both sides, to the other kind. */
function bridge(blocks: boolean[], kind: boolean, least: number): void {
  for (let from = 0; from < blocks.length; ) {
    const to = runEnd(blocks, from)
    if (blocks[from] === kind && to - from < least && from > 0 && to < blocks.length) blocks.fill(!kind, from, to)
    from = to
  }
}

function runEnd(blocks: readonly boolean[], from: number): number {
  let to = from
  while (to < blocks.length && blocks[to] === blocks[from]) to++
  return to
}
