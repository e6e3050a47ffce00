/**
 * Mann and Whitney's test of two samples: how likely they are to differ in rank as much as they do, or more, when both are drawn alike. 0 to 1; by the
 * normal distribution, corrected for ties, so that each needs twenty values at least.
 */
export function likenessOf(one: readonly number[], other: readonly number[]): number {
  const all = [...one.map((value) => ({ value, isOne: true })), ...other.map((value) => ({ value, isOne: false }))]
  all.sort((a, b) => a.value - b.value)
  let [ranks, ties] = [0, 0]
  for (let from = 0, to = 0; from < all.length; from = to) {
    let ours = 0
    for (; to < all.length && all[to]?.value === all[from]?.value; to++) if (all[to]?.isOne === true) ours++
    // Equal values share the mean of their ranks, which count from 1.
    ranks += (ours * (from + to + 1)) / 2
    ties += (to - from) ** 3 - (to - from)
  }
  const [n, m, total] = [one.length, other.length, all.length]
  const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))))
  const off = Math.abs(ranks - (n * (total + 1)) / 2)
  return deviation === 0 ? 1 : beyond(off / deviation)
}

/** How much of the normal distribution lies farther from its middle than so many deviations (Abramowitz and Stegun 7.1.26, to 1e-7). */
function beyond(deviations: number): number {
  const x = deviations / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce((sum, each) => (sum + each) * t, 0)
  return series * Math.exp(-x * x)
}
