import type * as Ffi from 'node:ffi'

/** Of the GNU C library: gives back what is free in the middle of its heap, where `free` gives back only the end. */
const signatures = { malloc_trim: { arguments: ['uint64'], return: 'int32' } } as const satisfies Ffi.FunctionDefinitions

/**
 * Makes what gives memory back to the machine that this process holds for nobody; it stops everything for some 150 ms. Null where V8 was not
 * asked for it (`--expose-gc`). An ordinary collection frees objects but keeps most pages that they lay in, and the nursery at its largest; one
 * of last resort moves what lives together.
 */
export function openGiveBack(): (() => void) | null {
  const { gc } = globalThis
  if (gc === undefined) return null
  return () => {
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    trimHeap()
  }
}

/** Does nothing with another C library, or a Node that calls no foreign functions. */
function trimHeap(): void {
  const ffi = process.getBuiltinModule('node:ffi') as typeof Ffi | undefined
  try {
    using program = ffi?.dlopen(null, signatures)
    program?.functions.malloc_trim(0n)
  } catch {
    // The rest was given back.
  }
}
