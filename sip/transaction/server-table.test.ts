import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mergeKey, serverKey } from '#sip/transaction/keys.ts'
import { requestOf } from '#sip/transaction/named-request.ts'
import type { ServerRun } from '#sip/transaction/server.ts'
import { ServerName } from '#sip/transaction/server-name.ts'
import { ServerTable } from '#sip/transaction/server-table.ts'

const part = {
  callId: fc.constantFrom('a@host.of.a.long.name', 'a@host.of.a.long.name', 'b'),
  branch: fc.constantFrom(';branch=z9hG4bK-1-of-a-length', ';branch=z9hG4bK-2-of-a-length', ';branch=z9hG4bK-3', '', ';branch=1'),
  sentBy: fc.constantFrom('192.0.2.1', '192.0.2.1:5062', '198.51.100.200:5062'),
  method: fc.constantFrom('OPTIONS', 'X'),
  tag: fc.constantFrom('', ';tag=1', ';tag=of-a-length-to-be-kept'),
  seq: fc.nat(5),
}

/** What the table is to do, by whole names alone. */
class Model {
  readonly names = new Map<string, ServerName>()
  readonly merges = new Map<string, ServerName>()

  forget(key: string): void {
    const name = this.names.get(key)
    this.names.delete(key)
    this.unmerge(name)
  }

  unmerge(name: ServerName | undefined): void {
    for (const [merge, holder] of this.merges) if (holder === name) this.merges.delete(merge)
  }
}

test('transactions, and copies of their requests, are found by all of their name, however many share a Call-ID', () => {
  const step = fc.record({ ...part, what: fc.constantFrom('add', 'add', 'add', 'delete', 'unmerge', 'let go') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new ServerTable()
      const model = new Model()
      for (const { what, ...is } of steps) {
        const request = requestOf(is)
        const key = serverKey(request)
        const known = model.names.get(key)
        const isCopy = model.merges.has(mergeKey(request))
        if (what === 'add' && known === undefined && !isCopy) {
          const name = new ServerName(request, is.callId, { merges: true, source: '192.0.2.1' })
          name.holder = { name } as ServerRun
          table.add(name)
          model.names.set(key, name)
          model.merges.set(mergeKey(request), name)
        } else if (what === 'delete' && known !== undefined) {
          table.delete(known)
          // Once more changes nothing.
          table.delete(known)
          model.forget(key)
        } else if (what === 'unmerge' && known !== undefined) {
          table.unmerge(known)
          model.unmerge(known)
        } else if (what === 'let go') known?.letGo()
        assert.equal(table.find(request, is.method), model.names.get(key)?.holder ?? null)
        assert.equal(table.hasCopyOf(request), model.merges.has(mergeKey(request)))
        assert.equal(table.size, model.names.size)
      }
      assert.deepEqual(new Set(table.all()), new Set([...model.names.values()].map(({ holder }) => holder)))
    }),
    { numRuns: 200 },
  )
})
