const firstMs = 500
const longestMs = 10_000

/** How long to wait before the `attempt`th try (from 1) to connect again. `spread` from 0 to 1 keeps pages apart that lost the same server. */
export function backOffMs(attempt: number, spread: number): number {
  const full = Math.min(longestMs, firstMs * 2 ** (attempt - 1))
  return Math.round(full * (0.5 + spread / 2))
}
