/** Whether two texts are the same, in a time that tells nothing of where they differ. `given` comes from a stranger; `known` has a length that is no secret. */
export function isSameText(given: string, known: string): boolean {
  if (given.length !== known.length) return false
  let difference = 0
  for (let i = 0; i < known.length; i++) difference |= given.charCodeAt(i) ^ known.charCodeAt(i)
  return difference === 0
}
