import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PAGE_BYTES, type PagedMessage, PagedQueue, Pages } from '#sip/trace-pages.ts'

const message: fc.Arbitrary<PagedMessage> = fc.record({
  direction: fc.constantFrom('in', 'out'),
  at: fc.double({ noNaN: true }),
  // What ends just before, at and after the end of a page, and what takes several.
  bytes: fc
    .oneof(fc.integer({ min: 0, max: 700 }), fc.integer({ min: PAGE_BYTES - 40, max: PAGE_BYTES + 40 }), fc.integer({ min: 0, max: 9_000 }))
    .map((length) => Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 256)),
})

const readable = ({ direction, at, bytes }: PagedMessage) => ({ direction, at, bytes: Buffer.from(bytes).toString('latin1') })

test('whatever comes and goes in whatever order, each queue holds what was put into it, and no page is lost', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ queue: fc.nat(2), put: message }) },
    { weight: 3, arbitrary: fc.record({ queue: fc.nat(2), put: fc.constant('drop' as const) }) },
    { weight: 1, arbitrary: fc.record({ queue: fc.nat(2), put: fc.constant('clear' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pages = new Pages()
      const queues = [0, 1, 2].map(() => ({ queue: new PagedQueue(pages), kept: [] as PagedMessage[] }))
      for (const { queue: index, put } of steps) {
        const { queue, kept } = queues[index] ?? assert.fail()
        if (put === 'drop') {
          queue.shift()
          kept.shift()
        } else if (put === 'clear') {
          queue.clear()
          kept.length = 0
        } else {
          const bytes = Uint8Array.from(put.bytes)
          queue.push({ ...put, bytes })
          bytes.fill(0)
          kept.push(put)
        }
        for (const each of queues) {
          assert.deepEqual(each.queue.messages().map(readable), each.kept.map(readable))
          assert.equal(each.queue.length, each.kept.length)
          const least = each.kept.reduce((sum, { bytes: { length } }) => sum + length, 0) / PAGE_BYTES
          assert.ok(each.queue.pages >= least && each.queue.pages <= least * 1.02 + 2, `${each.queue.pages} pages for ${least}`)
        }
      }
      for (const { queue } of queues) queue.clear()
      assert.deepEqual(
        queues.map(({ queue }) => queue.pages),
        [0, 0, 0],
      )
      // All that was ever taken is free again: as many more are had without asking the system.
      const before = pages.bytes
      const taken = Array.from({ length: before / PAGE_BYTES }, () => pages.take())
      assert.equal(new Set(taken).size, taken.length)
      assert.equal(pages.bytes, before)
    }),
  )
})
