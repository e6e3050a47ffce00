import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Emitter } from '#base/emitter.ts'

test('listeners hear in order of subscription, until they leave', () => {
  const heard: string[] = []
  const emitter = new Emitter<number>()
  assert.equal(emitter.isHeard, false)
  const first = emitter.on((value) => heard.push(`first ${value}`))
  const second = emitter.on((value) => heard.push(`second ${value}`))
  emitter.emit(1)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.equal(emitter.isHeard, true)
  emitter.emit(2)
  second[Symbol.dispose]()
  emitter.emit(3)
  assert.deepEqual(heard, ['first 1', 'second 1', 'second 2'])
  assert.equal(emitter.isHeard, false)
})

test('who leaves while an event is told does not hear it; who comes meanwhile hears the next', () => {
  const heard: string[] = []
  const emitter = new Emitter<number>()
  emitter.on((value) => {
    heard.push(`first ${value}`)
    late[Symbol.dispose]()
    if (value === 1) emitter.on((next) => heard.push(`third ${next}`))
  })
  const late = emitter.on((value) => heard.push(`second ${value}`))
  emitter.emit(1)
  emitter.emit(2)
  assert.deepEqual(heard, ['first 1', 'first 2', 'third 2'])
})

test('a listener subscribed twice hears twice, and leaves once', () => {
  let heard = 0
  const emitter = new Emitter<number>()
  const listener = (): void => void heard++
  const once = emitter.on(listener)
  emitter.on(listener)
  emitter.emit(0)
  once[Symbol.dispose]()
  emitter.emit(0)
  assert.equal(heard, 3)
})

test('a listener that throws is reported, and the others hear', () => {
  const faults: unknown[] = []
  let heard = 0
  const emitter = new Emitter<number>((fault) => faults.push(fault))
  emitter.on(() => {
    throw new Error('deaf')
  })
  emitter.on(() => void heard++)
  emitter.emit(0)
  assert.equal(heard, 1)
  assert.match(String(faults[0]), /deaf/)
})
