import { likenessOf } from '#test/support/rank-test.ts'

/** How long answers took that told of who exists, and of who does not, in one unit. */
export interface Sample {
  present: number[]
  absent: number[]
}

export interface Told {
  /** `unclear`: so little can be seen on this machine now that nothing is shown either way. */
  kind: 'alike' | 'different' | 'unclear'
  /** By how much the medians differ, and how likely chance alone makes that of samples that are alike. */
  by: number
  likely: number
}

/** Samples that are alike are this much unlike once in a hundred times. */
const leastLikely = 0.01
/** And this much never: not in a hundred millions. */
const never = 1e-8

/**
 * Whether time tells who exists. Draws until a difference shows that chance does not make, or until one of `least` would have shown and none does: on
 * a machine that does much else it takes more draws to see as little. Samples that were unlike in every draw differ, however much was to be seen.
 */
export async function toldByTime({
  draw,
  draws,
  least,
}: {
  draw: (nth: number) => Sample | Promise<Sample>
  draws: number
  least: number
}): Promise<Told> {
  const all: Sample = { present: [], absent: [] }
  const later = (by: number): number[] => all.present.map((value) => value + by)
  let told: Told = { kind: 'unclear', by: 0, likely: 1 }
  let isUnlikeEachTime = true
  for (let nth = 0; nth < draws && told.kind === 'unclear'; nth++) {
    const { present, absent } = await draw(nth)
    all.present.push(...present)
    all.absent.push(...absent)
    const likely = likenessOf(all.present, all.absent)
    const wouldShow = [least, -least].every((by) => likenessOf(later(by), all.absent) < leastLikely)
    const kind = likely < never ? 'different' : likely > leastLikely && wouldShow ? 'alike' : 'unclear'
    told = { kind, by: median(all.present) - median(all.absent), likely }
    isUnlikeEachTime &&= likenessOf(present, absent) <= leastLikely
  }
  return told.kind === 'unclear' && isUnlikeEachTime ? { ...told, kind: 'different' } : told
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
