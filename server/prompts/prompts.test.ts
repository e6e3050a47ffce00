import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { compile } from '#server/config/compile.ts'
import { changed } from '#server/config/testing.ts'
import { Prompts } from '#server/prompts/prompts.ts'

test('a prompt whose sound file was missing is heard once the file has arrived', async () => {
  const lengths = new Map<string, number>()
  const speech = { synthesize: () => Promise.reject(new Error('no voice here')) }
  const prompts = new Prompts({ folder: '/sounds', speech, lengthOf: (file) => Promise.resolve(lengths.get(file) ?? null), log: silentLog })
  const config = compile(changed({ 'prompt hello': { text: undefined, file: 'hello.wav' } }))
  assert.deepEqual(await prompts.sounds('acme', config, ['hello']), [])
  lengths.set('/sounds/acme/hello.wav', 1_200)
  prompts.arrived(config, 'other.wav')
  assert.deepEqual(await prompts.sounds('acme', config, ['hello']), [])
  prompts.arrived(config, 'hello.wav')
  assert.deepEqual(await prompts.sounds('acme', config, ['hello']), [{ prompt: 'hello', file: '/sounds/acme/hello.wav', ms: 1_200 }])
})

test('a version goes on playing the content that it refers to, whatever its path gets; when that is gone, what lies there now', async () => {
  const lengths = new Map([['/sounds/acme/hello.wav', 900]])
  const speech = { synthesize: () => Promise.reject(new Error('no voice here')) }
  const needs = { folder: '/sounds', speech, lengthOf: (file: string) => Promise.resolve(lengths.get(file) ?? null), log: silentLog }
  const sha256 = 'a'.repeat(64)
  const config = compile(changed({ 'prompt hello': { text: undefined, file: 'hello.wav', sha256 } }))
  assert.equal((await new Prompts(needs).sounds('acme', config, ['hello']))[0]?.file, '/sounds/acme/hello.wav')
  lengths.set(`/sounds/acme/.contents/${sha256}.wav`, 1_200)
  const prompts = new Prompts(needs)
  const pinned = [{ prompt: 'hello', file: `/sounds/acme/.contents/${sha256}.wav`, ms: 1_200 }]
  assert.deepEqual(await prompts.sounds('acme', config, ['hello']), pinned)
  prompts.arrived(config, 'hello.wav')
  assert.deepEqual(await prompts.sounds('acme', config, ['hello']), pinned)
})
