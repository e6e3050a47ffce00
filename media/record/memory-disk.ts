import type { Disk, FileSink } from '#media/record/file-sink.ts'

/** A disk in memory with a size that can be changed: what tests of recordings write to. */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, Uint8Array>()
  /** Octets that all files together may take; `append` beyond says so. */
  room = Number.POSITIVE_INFINITY
  /** When set, nothing can be opened, for this reason. */
  refusal: string | null = null

  open(file: string, keep: boolean): FileSink {
    if (this.refusal !== null) throw new Error(this.refusal)
    if (!keep || !this.files.has(file)) this.files.set(file, new Uint8Array(0))
    return new MemoryFile(this, file)
  }

  replace(file: string, text: string): void {
    this.#check(text.length - (this.files.get(file)?.length ?? 0))
    this.files.set(file, new TextEncoder().encode(text))
  }

  text(file: string): string | null {
    const bytes = this.files.get(file)
    return bytes === undefined ? null : new TextDecoder().decode(bytes)
  }

  /** The bytes of a file; none when there is no such file. */
  bytes(file: string): Uint8Array {
    return this.files.get(file) ?? new Uint8Array(0)
  }

  write(file: string, bytes: Uint8Array, position: number): void {
    const old = this.bytes(file)
    this.#check(Math.max(0, position + bytes.length - old.length))
    const grown = new Uint8Array(Math.max(old.length, position + bytes.length))
    grown.set(old)
    grown.set(bytes, position)
    this.files.set(file, grown)
  }

  #check(more: number): void {
    let used = 0
    for (const bytes of this.files.values()) used += bytes.length
    if (used + more > this.room) throw new Error('ENOSPC: no space left on device')
  }
}

class MemoryFile implements FileSink {
  readonly #disk: MemoryDisk
  readonly #file: string

  constructor(disk: MemoryDisk, file: string) {
    this.#disk = disk
    this.#file = file
  }

  get size(): number {
    return this.#disk.bytes(this.#file).length
  }

  append(bytes: Uint8Array): void {
    this.#disk.write(this.#file, bytes, this.size)
  }

  writeAt(bytes: Uint8Array, position: number): void {
    this.#disk.write(this.#file, bytes, position)
  }

  truncate(size: number): void {
    this.#disk.files.set(this.#file, this.#disk.bytes(this.#file).slice(0, size))
  }

  read(): Uint8Array {
    return this.#disk.bytes(this.#file)
  }

  finish(): Promise<void> {
    return Promise.resolve()
  }
}
