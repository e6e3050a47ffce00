import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

export interface RotatingFileOptions {
  path: string
  /** A file that would grow past this is put aside first. */
  maxBytes: number
  /** Files put aside, `path.1` being the youngest; older ones go. */
  keep: number
}

/** A log file that never grows past a limit. Written at once; what the disk refuses is counted and dropped, and never hurts the writer. */
export class RotatingFile {
  readonly #options: RotatingFileOptions
  #fd: number | null = null
  #bytes = 0
  /** Lines that the disk refused. */
  dropped = 0

  constructor(options: RotatingFileOptions) {
    this.#options = options
  }

  writeLine(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    try {
      if (this.#fd !== null && this.#bytes + bytes.length > this.#options.maxBytes) this.#rotate()
      this.#fd ??= this.#open()
      this.#bytes += writeSync(this.#fd, bytes)
    } catch {
      this.dropped++
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }

  #open(): number {
    const fd = openSync(this.#options.path, 'a', 0o640)
    this.#bytes = fstatSync(fd).size
    return fd
  }

  #rotate(): void {
    this.close()
    const { path, keep } = this.#options
    for (let n = keep - 1; n >= 1; n--) renameIfThere(`${path}.${n}`, `${path}.${n + 1}`)
    renameIfThere(path, `${path}.1`)
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
