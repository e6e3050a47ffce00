/**
 * Where work is put down. While one piece of work runs, nothing else does: who sends what costs much holds up everybody. Whoever takes
 * something from outside says so at its beginning; the processor time from there to the next beginning is that piece's.
 */
export interface WorkMeter {
  /** `what`: the kind of work, one of few. `of`: whose it is or what for, for whoever looks into a long one. */
  begins(what: string, of: string): void
}

/** Measures nothing. */
export const noMeter: WorkMeter = { begins: () => undefined }
