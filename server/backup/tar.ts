/** Size of everything in a tar file: headers are one block, contents are padded to whole ones. */
const block = 512

/** One file in a tar archive. */
export interface TarEntry {
  readonly name: string
  readonly size: number
}

/** The archive is not a tar file of ours, or is damaged. */
export class BadArchiveError extends Error {
  override readonly name = 'BadArchiveError'
}

/** The header of a regular file (POSIX.1-1988 ustar). Names up to 100 bytes after a folder part of up to 155; throws RangeError beyond. */
export function tarHeader({ name, size }: TarEntry, wall: number): Buffer {
  const header = Buffer.alloc(block)
  const { prefix, rest } = splitName(name)
  header.write(rest, 0)
  header.write('0000600\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write(
    `${Math.floor(wall / 1_000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136,
  )
  header.write('        0', 148)
  header.write('ustar\u000000', 257)
  header.write(prefix, 345)
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** Zeros that fill the last block of a file of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block)
}

/** What stands at the end of an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block)
}

function splitName(name: string): { prefix: string; rest: string } {
  if (Buffer.byteLength(name) <= 100) return { prefix: '', rest: name }
  const cut = name.lastIndexOf('/')
  const prefix = name.slice(0, Math.max(0, cut))
  const rest = name.slice(cut + 1)
  if (cut <= 0 || Buffer.byteLength(prefix) > 155 || Buffer.byteLength(rest) > 100)
    throw new RangeError(`name too long for the archive: ${name}`)
  return { prefix, rest }
}

/** The sum of the header's bytes, its own field counted as spaces. */
function sumOf(header: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0
  return sum
}

/**
 * The files of a tar stream, one after the other; `content` must be read to its end before the next is asked for. Total: anything else than
 * an archive of regular files with plain relative names is refused with `BadArchiveError`.
 */
export async function* readTar(bytes: AsyncIterable<Buffer>): AsyncGenerator<TarEntry & { content: AsyncGenerator<Buffer> }> {
  const source = new BlockReader(bytes)
  for (;;) {
    const header = await source.take(block)
    if (header === null) throw new BadArchiveError('the archive ends before its end mark')
    if (header.every((byte) => byte === 0)) return
    const entry = readHeader(header)
    yield { ...entry, content: source.content(entry.size) }
    await source.skipContent()
  }
}

function readHeader(header: Buffer): TarEntry {
  const text = (start: number, length: number) => header.toString('utf8', start, start + length).replace(/\0[\s\S]*$/, '')
  const sum = Number.parseInt(text(148, 8), 8)
  if (sum !== sumOf(header) || text(257, 5) !== 'ustar') throw new BadArchiveError('a header of the archive is damaged')
  const size = Number.parseInt(text(124, 12), 8)
  const prefix = text(345, 155)
  const name = prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`
  if (text(156, 1) !== '0' || !Number.isSafeInteger(size) || size < 0) throw new BadArchiveError(`${name} is not a regular file`)
  if (name.startsWith('/') || name.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new BadArchiveError(`${name} leads out of the archive`)
  return { name, size }
}

/** Reads a byte stream in exact pieces. */
class BlockReader {
  #source: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)
  #left = 0
  #padding = 0

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#source = bytes[Symbol.asyncIterator]()
  }

  /** The next `length` bytes; null at the end of the stream. */
  async take(length: number): Promise<Buffer | null> {
    const pieces: Buffer[] = []
    for (let missing = length; missing > 0; ) {
      const piece = await this.#piece(missing)
      if (piece === null) return null
      pieces.push(piece)
      missing -= piece.length
    }
    return pieces.length === 1 ? (pieces[0] ?? null) : Buffer.concat(pieces)
  }

  /** The next `size` bytes as a stream; from here on `skipContent` knows how much of them is left. */
  content(size: number): AsyncGenerator<Buffer> {
    this.#left = size
    this.#padding = tarPadding(size).length
    return this.#content()
  }

  async *#content(): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const piece = await this.#piece(this.#left)
      if (piece === null) throw new BadArchiveError('the archive is cut off')
      this.#left -= piece.length
      yield piece
    }
  }

  /** Goes on to the next header, whatever was left unread. */
  async skipContent(): Promise<void> {
    for (let rest = this.#left + this.#padding; rest > 0; ) {
      const piece = await this.#piece(rest)
      if (piece === null) throw new BadArchiveError('the archive is cut off')
      rest -= piece.length
    }
    this.#left = 0
    this.#padding = 0
  }

  async #piece(atMost: number): Promise<Buffer | null> {
    while (this.#held.length === 0) {
      const { value, done } = await this.#source.next()
      if (done === true) return null
      this.#held = value
    }
    const piece = this.#held.subarray(0, atMost)
    this.#held = this.#held.subarray(piece.length)
    return piece
  }
}
