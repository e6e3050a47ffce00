import type * as Ffi from 'node:ffi'
import { getBuiltinModule } from 'node:process'

/** Of the GNU C library: gives back what is free in the middle of its heap, where `free` gives back only the end. */
const signatures = { malloc_trim: { arguments: ['uint64'], return: 'int32' } } as const satisfies Ffi.FunctionDefinitions

/**
 * Makes what gives memory back to the machine that this process holds for nobody; an engine is stopped for some 40 ms by it, a server for 150.
 * Null where V8 was not asked for it (`--expose-gc`). An ordinary collection frees objects but keeps most pages that they lay in, and the nursery
 * at its largest; one of last resort moves what lives together.
 */
export function openGiveBack(): (() => void) | null {
  const collect = typeof gc === 'undefined' ? null : gc
  if (collect === null) return null
  return () => {
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
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
