/** Somebody who must know when a connection is gone. */
export interface Caller {
  connectionLost(): void
}

/** INVITEs that came over stream connections and have no answer yet: when the connection goes, so does the caller. */
export class Ringing {
  readonly #byConnection = new Map<number, Set<Caller>>()

  /** `connection`: of the flow; null (UDP) is never lost. */
  add(connection: number | null, caller: Caller): void {
    if (connection === null) return
    const callers = this.#byConnection.get(connection)
    if (callers === undefined) this.#byConnection.set(connection, new Set([caller]))
    else callers.add(caller)
  }

  remove(connection: number | null, caller: Caller): void {
    if (connection === null) return
    const callers = this.#byConnection.get(connection)
    callers?.delete(caller)
    if (callers?.size === 0) this.#byConnection.delete(connection)
  }

  connectionLost(connection: number): void {
    for (const caller of [...(this.#byConnection.get(connection) ?? [])]) caller.connectionLost()
  }
}
