import type { SippTally } from '#tools/bench/load.ts'

/** Failed calls and messages that had to be sent again, as shares of all calls, up to which a rate holds: those the peers were measured by. */
const MOST_FAILED = 0.001
const MOST_SENT_AGAIN = 0.01

/** From one probe to the next while rates hold. */
const GROWTH = 1.4
/** How often the gap between what held and what did not is halved. */
const HALVINGS = 2

export function holds({ succeeded, failed, retransmissions }: SippTally): boolean {
  const calls = succeeded + failed
  return failed <= calls * MOST_FAILED && retransmissions <= calls * MOST_SENT_AGAIN
}

/**
 * The highest rate, calls per second, at which `probe` holds, found from `from` upwards to within a tenth or so. A rate that fails once may
 * have met with bad luck: it is tried again. `from` when nothing holds.
 */
export async function highestRate(from: number, probe: (rate: number) => Promise<SippTally>): Promise<number> {
  const held = async (rate: number): Promise<boolean> => holds(await probe(rate)) || holds(await probe(rate))
  let best = from
  let tooHigh = from
  do {
    best = tooHigh
    tooHigh = Math.round(best * GROWTH)
  } while (await held(tooHigh))
  for (let i = 0; i < HALVINGS; i++) {
    const middle = Math.round((best + tooHigh) / 2)
    if (await held(middle)) best = middle
    else tooHigh = middle
  }
  return best
}
