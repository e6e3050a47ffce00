import { mosOf, ratingOf } from '#media/rtcp/quality.ts'
import type { Pair } from '#test/survival/company.ts'
import type { Talker } from '#test/survival/talker.ts'

const ptimeMs = 20
/** A call with nothing wrong: 4.4. */
export const undisturbed = mosOf(ratingOf('PCMA', { loss: 0, burst: 1, jitterMs: 0, roundTripMs: null, ptimeMs }))
/**
 * Nobody may hear by more than this that the system is attacked. No luck is in it: a loss of 0.2 % is as much, and a socket loses nothing before its
 * reader has been away for three seconds; so are 80 ms of mean jitter.
 */
const mostWorse = 0.1

/**
 * How the worst of all ways of these pairs sounds to who listens there, since `reset`: MOS-LQ, 1 to 4.5 (ITU-T G.107). By what came, or as it would
 * sound if all had come, as late as it did.
 */
export function worstHeard(pairs: readonly Pair[], by: 'came' | 'all' = 'came'): number {
  const heard = (speaker: Talker, listener: Talker): number => heardOf(by === 'came' ? speaker.lossTo(listener) : nothingLost, listener)
  return Math.min(...pairs.flatMap(({ caller, callee }) => [heard(caller.talker, callee.talker), heard(callee.talker, caller.talker)]))
}

const nothingLost = { share: 0, run: 0 }

function heardOf({ share, run }: { share: number; run: number }, listener: Talker): number {
  return mosOf(ratingOf('PCMA', { loss: share, burst: run * (1 - share), jitterMs: listener.jitterMs, roundTripMs: null, ptimeMs }))
}

/** Whether the attack has spoilt no line; `calm`: the worst heard where nobody attacks, on a machine as busy. */
export function soundsWell(mos: number, calm: number): boolean {
  return mos >= Math.min(calm, undisturbed) - mostWorse
}
