import type * as Ffi from 'node:ffi'
import { getBuiltinModule } from 'node:process'
import { setFlagsFromString } from 'node:v8'

/** Of the GNU C library: gives back what is free in the middle of its heap, where `free` gives back only the end. */
const signatures = { malloc_trim: { arguments: ['uint64'], return: 'int32' } } as const satisfies Ffi.FunctionDefinitions

/** How long V8 keeps pages that a collection has freed: until the next one, where calls keep it busy. What is given back goes at once. */
export const poolSeconds = 30

/**
 * Makes what gives memory back to the machine that this process holds for nobody; an engine is stopped for some 40 ms by it, a server for 150.
 * Null where V8 was not asked for it (`--expose-gc`). An ordinary collection frees objects but keeps most pages that they lay in, and the nursery
 * at its largest; one of last resort moves what lives together.
 */
export function openGiveBack(): (() => void) | null {
  const collect = typeof gc === 'undefined' ? null : gc
  if (collect === null) return null
  return () => {
    // V8 reads it when a collection ends.
    setFlagsFromString('--memory-pool-timeout=1')
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    setFlagsFromString(`--memory-pool-timeout=${poolSeconds}`)
    trimHeap()
  }
}

/** Does nothing with another C library, or a Node that calls no foreign functions. */
function trimHeap(): void {
  const ffi = getBuiltinModule('node:ffi') as typeof Ffi | undefined
  try {
    using program = ffi?.dlopen(null, signatures)
    program?.functions.malloc_trim(0n)
  } catch {
    // The rest was given back.
  }
}
