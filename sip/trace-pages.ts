/** Of a call's messages: a few pages hold the usual call, and half a page is what one leaves empty on average. */
export const PAGE_BYTES = 2_048
/** Asked of the system at once: 256 KiB. */
const BLOCK_PAGES = 128
const NO_PAGE = -1
/** Before each message: when, 8 bytes; its length, 4, with the direction in the highest bit. Never broken across pages. */
const HEADER_BYTES = 12
const OUTWARD = 0x8000_0000

/**
 * Memory for the trace, in pages that are used again. Messages that lie in it cost no object each: what a busy server keeps for a while would
 * otherwise be most of what its garbage collector has to walk through. Memory that was needed once stays.
 */
export class Pages {
  readonly #blocks: Buffer[] = []
  /** Of the blocks: Node writes floating point into a Buffer byte by byte. */
  readonly #views: DataView[] = []
  readonly #free: number[] = []
  /** By page, which one comes after it in its chain. */
  #next = new Int32Array(0)

  take(): number {
    if (this.#free.length === 0) this.#grow()
    const page = this.#free.pop() ?? NO_PAGE
    this.#next[page] = NO_PAGE
    return page
  }

  giveBack(page: number): void {
    this.#free.push(page)
  }

  after(page: number): number {
    return this.#next[page] ?? NO_PAGE
  }

  link(page: number, next: number): void {
    this.#next[page] = next
  }

  /** Where a page lies: its block, and from where on in it. */
  block(page: number): Buffer {
    return this.#blocks[Math.trunc(page / BLOCK_PAGES)] as Buffer
  }

  /** Over the same block. */
  view(page: number): DataView {
    return this.#views[Math.trunc(page / BLOCK_PAGES)] as DataView
  }

  offset(page: number): number {
    return (page % BLOCK_PAGES) * PAGE_BYTES
  }

  /** Held of the system, bytes. */
  get bytes(): number {
    return this.#blocks.length * BLOCK_PAGES * PAGE_BYTES
  }

  #grow(): void {
    const first = this.#blocks.length * BLOCK_PAGES
    const block = Buffer.allocUnsafeSlow(BLOCK_PAGES * PAGE_BYTES)
    this.#blocks.push(block)
    this.#views.push(new DataView(block.buffer, block.byteOffset, block.length))
    const wider = new Int32Array(first + BLOCK_PAGES)
    wider.set(this.#next)
    this.#next = wider
    for (let page = first + BLOCK_PAGES - 1; page >= first; page--) this.#free.push(page)
  }
}

/** A message as it lies in the pages. */
export interface PagedMessage {
  readonly direction: 'in' | 'out'
  readonly at: number
  readonly bytes: Uint8Array
}

/** Messages in the order they came: the last is put in, the first is dropped. */
export class PagedQueue {
  readonly #pages: Pages
  #first = NO_PAGE
  #last = NO_PAGE
  /** In the first page, where the first message begins; in the last, where there is room. */
  #start = 0
  #end = PAGE_BYTES
  #length = 0
  #pageCount = 0

  constructor(pages: Pages) {
    this.#pages = pages
  }

  /** Messages. */
  get length(): number {
    return this.#length
  }

  /** Pages they take. */
  get pages(): number {
    return this.#pageCount
  }

  /** A copy of it. `at`: milliseconds, any number. */
  push({ direction, at, bytes }: PagedMessage): void {
    if (this.#end + HEADER_BYTES > PAGE_BYTES) this.#extend()
    const block = this.#pages.block(this.#last)
    const header = this.#pages.offset(this.#last) + this.#end
    const view = this.#pages.view(this.#last)
    view.setFloat64(header, at, true)
    view.setUint32(header + 8, direction === 'out' ? bytes.length + OUTWARD : bytes.length, true)
    this.#end += HEADER_BYTES
    this.#length++
    if (bytes.length <= PAGE_BYTES - this.#end) {
      block.set(bytes, header + HEADER_BYTES)
      this.#end += bytes.length
    } else this.#spread(bytes)
  }

  /** Drops the first. */
  shift(): void {
    if (this.#length === 0) return
    this.#length--
    if (this.#length === 0) return this.clear()
    this.#skipRest()
    const header = this.#pages.offset(this.#first) + this.#start
    let left = HEADER_BYTES + this.#lengthAt(this.#pages.block(this.#first), header)
    while (left > PAGE_BYTES - this.#start) {
      left -= PAGE_BYTES - this.#start
      this.#dropFirstPage()
    }
    this.#start += left
  }

  clear(): void {
    while (this.#first !== NO_PAGE) this.#dropFirstPage()
    this.#last = NO_PAGE
    this.#end = PAGE_BYTES
    this.#length = 0
  }

  /** Copies of them. */
  messages(): PagedMessage[] {
    const messages: PagedMessage[] = []
    let page = this.#first
    let position = this.#start
    while (messages.length < this.#length) {
      if (position + HEADER_BYTES > PAGE_BYTES) {
        page = this.#pages.after(page)
        position = 0
      }
      const block = this.#pages.block(page)
      const header = this.#pages.offset(page) + position
      const bytes = Buffer.allocUnsafe(this.#lengthAt(block, header))
      position += HEADER_BYTES
      for (let copied = 0; copied < bytes.length; ) {
        if (position === PAGE_BYTES) {
          page = this.#pages.after(page)
          position = 0
        }
        const piece = Math.min(bytes.length - copied, PAGE_BYTES - position)
        const from = this.#pages.offset(page) + position
        this.#pages.block(page).copy(bytes, copied, from, from + piece)
        copied += piece
        position += piece
      }
      const direction = block.readUInt32LE(header + 8) >= OUTWARD ? 'out' : 'in'
      messages.push({ direction, at: block.readDoubleLE(header), bytes })
    }
    return messages
  }

  #lengthAt(block: Buffer, header: number): number {
    return block.readUInt32LE(header + 8) % OUTWARD
  }

  #spread(bytes: Uint8Array): void {
    for (let copied = 0; copied < bytes.length; ) {
      if (this.#end === PAGE_BYTES) this.#extend()
      const piece = Math.min(bytes.length - copied, PAGE_BYTES - this.#end)
      this.#pages.block(this.#last).set(bytes.subarray(copied, copied + piece), this.#pages.offset(this.#last) + this.#end)
      copied += piece
      this.#end += piece
    }
  }

  #extend(): void {
    const page = this.#pages.take()
    if (this.#last === NO_PAGE) {
      this.#first = page
      this.#start = 0
    } else this.#pages.link(this.#last, page)
    this.#last = page
    this.#end = 0
    this.#pageCount++
  }

  /** To the next header, which is never broken across pages. */
  #skipRest(): void {
    if (this.#start + HEADER_BYTES > PAGE_BYTES) this.#dropFirstPage()
  }

  #dropFirstPage(): void {
    const page = this.#first
    this.#first = this.#pages.after(page)
    this.#start = 0
    this.#pageCount--
    this.#pages.giveBack(page)
  }
}
