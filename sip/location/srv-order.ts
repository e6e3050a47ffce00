import type { Random } from '#base/ids.ts'

/**
 * Targets in the order to try: by priority; within one, drawn by weight (RFC 2782): of those left, each with a chance in proportion to its
 * weight, and those of weight 0 with a very small one.
 */
export function inSrvOrder<T extends { priority: number; weight: number }>(services: readonly T[], random: Random): T[] {
  const left = services.toSorted((a, b) => a.priority - b.priority || a.weight - b.weight)
  const ordered: T[] = []
  while (left.length > 0) {
    const group = left.filter((service) => service.priority === left[0]?.priority)
    let draw = random.below(group.reduce((sum, { weight }) => sum + weight, 0) + 1)
    const index = group.findIndex(({ weight }) => (draw -= weight) <= 0)
    ordered.push(...left.splice(Math.max(index, 0), 1))
  }
  return ordered
}
