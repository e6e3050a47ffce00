import {
  close,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/**
 * The file of a recording, as the worker writes it. Methods throw what the disk says; after a failed `append` the file has
 * the size it had before.
 */
export interface FileSink {
  readonly size: number
  append(bytes: Uint8Array): void
  writeAt(bytes: Uint8Array, position: number): void
  truncate(size: number): void
  /** Everything so far. */
  read(): Uint8Array
  /** Onto the disk itself, and closed. */
  finish(): Promise<void>
}

/** What the worker needs of the disk. */
export interface Disk {
  /** Opens for writing, with its folders; what is there is kept when `keep`. */
  open(file: string, keep: boolean): FileSink
  /** Replaces a small file as a whole. */
  replace(file: string, text: string): void
  /** Null when there is none. */
  text(file: string): string | null
}

/** The machine's disk. */
export const realDisk: Disk = {
  open: (file, keep) => {
    mkdirSync(dirname(file), { recursive: true })
    return new RealFile(file, keep)
  },
  replace(file, text) {
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  },
  text(file) {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return null
    }
  },
}

class RealFile implements FileSink {
  readonly #file: string
  readonly #descriptor: number
  #size: number

  constructor(file: string, keep: boolean) {
    this.#file = file
    this.#descriptor = openSync(file, keep ? CREATE_OR_KEEP : 'w+', 0o640)
    this.#size = fstatSync(this.#descriptor).size
  }

  get size(): number {
    return this.#size
  }

  append(bytes: Uint8Array): void {
    try {
      this.writeAt(bytes, this.#size)
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size)
      throw error
    }
    this.#size += bytes.length
  }

  writeAt(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done)
  }

  truncate(size: number): void {
    ftruncateSync(this.#descriptor, size)
    this.#size = size
  }

  read(): Uint8Array {
    return readFileSync(this.#file)
  }

  finish(): Promise<void> {
    return new Promise((resolve) => {
      // A disk that cannot sync has told so in writing, or tells the next recording.
      fdatasync(this.#descriptor, () => {
        close(this.#descriptor, () => resolve())
      })
    })
  }
}

/** Neither emptied nor appended to. */
const CREATE_OR_KEEP = constants.O_RDWR | constants.O_CREAT
