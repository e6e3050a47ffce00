import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DialogTable, type DialogUser } from '#sip/agent/dialog-table.ts'

function user(): DialogUser {
  return { receive: () => undefined, receiveAck: () => undefined, acknowledgeAgain: () => undefined, close: () => undefined }
}

test('dialogs are found by all of their name, however many share a part of it', () => {
  const name = fc.record({
    callId: fc.constantFrom('a', 'b'),
    localTag: fc.constantFrom('Aa', 'BB', ''),
    remoteTag: fc.nat(12).map(String),
  })
  const step = fc.record({ name, what: fc.constantFrom('add', 'add', 'remove', 'remove another') })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new DialogTable()
      const model = new Map<string, DialogUser>()
      for (const { name, what } of steps) {
        const key = `${name.callId} ${name.localTag} ${name.remoteTag}`
        const now = model.get(key)
        if (what === 'add') {
          const added = user()
          table.add(name, added)
          model.set(key, added)
        } else if (what === 'remove another') table.remove(name, user())
        else if (now !== undefined) {
          table.remove(name, now)
          model.delete(key)
        }
        assert.equal(table.get(name), model.get(key))
        assert.equal(table.size, model.size)
      }
    }),
    { numRuns: 300 },
  )
})

test('a peer that answers one INVITE with thousands of forks makes no look-up long', () => {
  let looks = 0
  const forks = Array.from({ length: 5000 }, (_, nth) => ({
    callId: 'one',
    remoteTag: String(nth),
    get localTag() {
      looks++
      return 'ours'
    },
  }))
  const table = new DialogTable()
  const whose = forks.map(() => user())
  for (const [nth, fork] of forks.entries()) table.add(fork, whose[nth] as DialogUser)
  for (const [nth, fork] of forks.entries()) assert.equal(table.get(fork), whose[nth])
  for (const [nth, fork] of forks.entries()) table.remove(fork, whose[nth] as DialogUser)
  assert.equal(table.size, 0)
  assert.ok(looks < forks.length * 60, `${looks} looks`)
})
