import type { JournalFile, JournalFiles } from '#server/journal/files.ts'

/** A disk in memory for tests: it can refuse, hang, lose power, and be cut at any byte. */
export class MemoryFiles implements JournalFiles {
  syncs = 0
  /** Every write fails with this while it is set. */
  refuse: Error | null = null
  /** How much of a write that fails arrives all the same. */
  refusedPart = 0.5
  #files = new Map<string, Buffer>()
  #frozen: Promise<void> = Promise.resolve()

  async list(): Promise<string[]> {
    return [...this.#files.keys()].sort()
  }

  async read(name: string): Promise<Buffer> {
    return Buffer.from(this.#files.get(name) ?? Buffer.alloc(0))
  }

  async create(name: string): Promise<JournalFile> {
    if (this.refuse !== null) throw this.refuse
    this.#files.set(name, Buffer.alloc(0))
    return { write: (bytes, position) => this.#write(name, bytes, position), close: async () => undefined }
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }

  async syncFolder(): Promise<void> {}

  /** Writes hang until the returned function is called. */
  hang(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#frozen = promise
    return resolve
  }

  /** The newest file. */
  last(): Buffer {
    return this.#files.get(this.#lastName()) ?? Buffer.alloc(0)
  }

  /** What a process finds afterwards: everything that was synced. */
  afterPowerLoss(): MemoryFiles {
    const copy = new MemoryFiles()
    for (const [name, bytes] of this.#files) copy.#files.set(name, Buffer.from(bytes))
    return copy
  }

  /** As `afterPowerLoss`, with the newest file cut to `length` bytes. */
  cutTo(length: number): MemoryFiles {
    const copy = this.afterPowerLoss()
    copy.#files.set(this.#lastName(), Buffer.from(this.last().subarray(0, length)))
    return copy
  }

  durableText(): string {
    return [...this.#files.values()].map(String).join('')
  }

  #lastName(): string {
    return [...this.#files.keys()].sort().at(-1) ?? ''
  }

  async #write(name: string, bytes: Buffer, position: number): Promise<void> {
    await this.#frozen
    if (this.refuse !== null) {
      // As a full disk does: a part arrives.
      this.#put(name, bytes.subarray(0, bytes.length * this.refusedPart), position)
      throw this.refuse
    }
    this.#put(name, bytes, position)
    this.syncs++
  }

  #put(name: string, bytes: Buffer, position: number): void {
    const old = this.#files.get(name) ?? Buffer.alloc(0)
    const grown = Buffer.alloc(Math.max(old.length, position + bytes.length))
    old.copy(grown)
    bytes.copy(grown, position)
    this.#files.set(name, grown)
  }
}
