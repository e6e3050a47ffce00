import { constants, write } from 'node:fs'
import { open, mkdir, readdir, readFile, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** The disk as the journal needs it: one folder of append-only files. */
export interface JournalFiles {
  /** Names in the folder; the folder is made if missing. */
  list(): Promise<string[]>
  read(name: string): Promise<Buffer>
  /** A new file, empty; one of that name is overwritten. */
  create(name: string): Promise<JournalFile>
  remove(name: string): Promise<void>
  /** Makes new and removed names durable. */
  syncFolder(): Promise<void>
}

export interface JournalFile {
  /** Writes all of `bytes` at `position`, and resolves when they are on the disk's platter (fdatasync). They may change after that. */
  write(bytes: Buffer, position: number): Promise<void>
  close(): Promise<void>
}

const { O_CREAT, O_TRUNC, O_WRONLY } = constants
/** On Linux a write to a file opened so returns when it is on the disk, as after fdatasync, in one visit to the thread pool instead of two. */
const writesThrough = process.platform === 'linux' ? constants.O_DSYNC : 0
const newFile = O_WRONLY | O_CREAT | O_TRUNC | writesThrough

/** Files of a real folder. */
export function folderFiles(folder: string): JournalFiles {
  return {
    async list() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      return readdir(folder)
    },
    read: (name) => readFile(join(folder, name)),
    create: async (name) => fileOf(await open(join(folder, name), newFile, 0o600)),
    remove: (name) => unlink(join(folder, name)),
    async syncFolder() {
      const handle = await open(folder, 'r')
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    },
  }
}

function fileOf(handle: FileHandle): JournalFile {
  return {
    async write(bytes, position) {
      await writeAll(handle.fd, bytes, position)
      if (writesThrough === 0) await handle.datasync()
    },
    close: () => handle.close(),
  }
}

/** By callback: half of what a promise of the file handle costs. */
function writeAll(fd: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (from: number): void => {
      write(fd, bytes, from, bytes.length - from, position + from, (error, written) => {
        if (error !== null) reject(error)
        else if (from + written < bytes.length) go(from + written)
        else resolve()
      })
    }
    go(0)
  })
}
