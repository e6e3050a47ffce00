/** Line and column, from 1, of offsets into a text; a column counts UTF-16 units. The lines are found when first asked for. */
export class Lines {
  readonly #text: string
  #starts: number[] | null = null

  constructor(text: string) {
    this.#text = text
  }

  place(at: number): { line: number; column: number } {
    const starts = (this.#starts ??= this.#find())
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= at) low = middle
      else high = middle
    }
    return { line: low + 1, column: at - (starts[low] ?? 0) + 1 }
  }

  #find(): number[] {
    const starts = [0]
    for (let at = this.#text.indexOf('\n'); at >= 0; at = this.#text.indexOf('\n', at + 1)) starts.push(at + 1)
    return starts
  }
}
