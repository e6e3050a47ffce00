/** Longer than anything single takes on a machine that does its work at all: whoever has waited so long waits in vain. */
const vainMs = 60_000

/** What comes of `promise`; rejects, saying what was missing, when nothing comes of it in a minute: a test that waits for ever tells nobody why. */
export async function within<T>(what: string, promise: PromiseLike<T>, ms = vainMs): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms / 1_000} s`)), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
