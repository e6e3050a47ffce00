/** What a program has said so far, line by line, and who waits for what it will say. */
export class Transcript {
  readonly lines: string[] = []
  readonly #who: string
  #waiting: Waiting[] = []
  #over: string | null = null

  /** `who`: named in what is thrown. */
  constructor(who: string) {
    this.#who = who
  }

  push(line: string): void {
    this.lines.push(line)
    const heard = this.#waiting.filter((each) => each.pattern.test(line))
    this.#waiting = this.#waiting.filter((each) => !heard.includes(each))
    for (const each of heard) each.resolve(line)
  }

  /** How far it is: what is awaited from here on is news. */
  get mark(): number {
    return this.lines.length
  }

  /** The first line after `from` that matches, as soon as it is said. Rejects, with all that was said, when it is not said in time. */
  next(pattern: RegExp, from = 0, withinMs = 60_000): Promise<string> {
    const found = this.lines.slice(from).find((line) => pattern.test(line))
    if (found !== undefined) return Promise.resolve(found)
    if (this.#over !== null) return Promise.reject(this.#fault(pattern, this.#over))
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const waiting: Waiting = { pattern, resolve, reject }
    const timer = setTimeout(() => this.#giveUp(waiting, `within ${withinMs} ms`), withinMs)
    this.#waiting.push(waiting)
    return promise.finally(() => clearTimeout(timer))
  }

  /** It will say nothing more. */
  end(why: string): void {
    this.#over = why
    for (const each of [...this.#waiting]) this.#giveUp(each, why)
  }

  #giveUp(waiting: Waiting, why: string): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    waiting.reject(this.#fault(waiting.pattern, why))
  }

  #fault(pattern: RegExp, why: string): Error {
    return new Error(`${this.#who} did not say ${pattern} (${why}). It said:\n${this.lines.slice(-40).join('\n')}`)
  }
}

interface Waiting {
  pattern: RegExp
  resolve: (line: string) => void
  reject: (fault: Error) => void
}
