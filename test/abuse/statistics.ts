/**
 * Whether two samples are of the same kind (Mann and Whitney): `p`, how likely a difference like theirs is if they are; and by how much the middle
 * of the first is above that of the second.
 */
export function differ(a: readonly number[], b: readonly number[]): { p: number; medianMs: number } {
  const all = [...a.map((value) => ({ value, ofA: true })), ...b.map((value) => ({ value, ofA: false }))].toSorted(
    (x, y) => x.value - y.value,
  )
  const rankSum = all.reduce((sum, { ofA }, at) => sum + (ofA ? at + 1 : 0), 0)
  const u = rankSum - (a.length * (a.length + 1)) / 2
  const mean = (a.length * b.length) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return { p: twoSided((u - mean) / deviation), medianMs: median(a) - median(b) }
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0
}

/** The normal distribution's two tails beyond z, within 2e-7 (Abramowitz and Stegun 7.1.26). */
function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + 0.327_591_1 * x)
  const series = t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))))
  return Math.min(1, Math.max(0, series * Math.exp(-x * x)))
}
