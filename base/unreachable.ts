/** Marks a branch that types prove impossible; throws if a caller lied to the compiler. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
