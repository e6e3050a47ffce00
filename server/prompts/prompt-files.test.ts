import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { contentFile, PromptFiles } from '#server/prompts/prompt-files.ts'

/** A WAV file of G.711 A-law: so many ms of one octet. */
function wav(ms: number, octet: number): Buffer {
  const data = Buffer.alloc(ms * 8, octet)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(6, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'centrala-sounds-'))
  return { path, files: new PromptFiles(path, countingRandom()), [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

test('a sound that can be played is kept under its path, listed and read; one that cannot is refused and changes nothing', async () => {
  await using at = await folder()
  const first = wav(100, 1)
  assert.deepEqual(await at.files.keep('acme', 'prompts/hello.wav', first), { kind: 'kept', ms: 100 })
  const bad = await at.files.keep('acme', 'prompts/hello.wav', Buffer.from('nothing to hear'))
  assert.ok(bad.kind === 'bad-sound' && bad.why.includes('prompts/hello.wav'))
  assert.deepEqual(await at.files.list('acme'), [{ path: 'prompts/hello.wav', bytes: first.length }])
  assert.deepEqual(await at.files.read('acme', 'prompts/hello.wav'), first)
  assert.deepEqual(await readdir(join(at.path, 'acme', 'prompts')), ['hello.wav'], 'nothing half written is left')
})

test('no path leads out of a company’s folder, or to what versions refer to', async () => {
  await using at = await folder()
  await at.files.keep('blue', 'secret.wav', wav(20, 1))
  const sha256 = await at.files.pin('blue', 'secret.wav')
  for (const path of ['../blue/secret.wav', '/etc/passwd', 'a/../../blue/secret.wav', '.hidden.wav', `.contents/${sha256}.wav`, '']) {
    assert.equal(await at.files.read('blue', path), null, path)
    assert.equal(await at.files.read('red', path), null, path)
    assert.deepEqual(await at.files.keep('red', path, wav(20, 1)), { kind: 'bad-path' }, path)
    assert.equal(await at.files.pin('red', path), null, path)
    assert.equal(await at.files.restore('blue', path, sha256 ?? ''), false, path)
  }
  assert.deepEqual(await at.files.list('blue'), [{ path: 'secret.wav', bytes: 204 }])
  assert.equal(await at.files.restore('red', 'mine.wav', sha256 ?? ''), false, 'another company’s content')
})

test('a pinned content stays when the path gets another, and can be put back', async () => {
  await using at = await folder()
  const [old, fresh] = [wav(100, 1), wav(60, 2)]
  await at.files.keep('acme', 'hello.wav', old)
  const sha256 = await at.files.pin('acme', 'hello.wav')
  assert.equal(sha256, hashOf(old))
  await at.files.keep('acme', 'hello.wav', fresh)
  assert.equal(await at.files.pin('acme', 'hello.wav'), hashOf(fresh))
  assert.deepEqual(await readFile(contentFile(at.path, 'acme', hashOf(old))), old)
  for (let again = 0; again < 2; again++) {
    assert.equal(await at.files.restore('acme', 'hello.wav', hashOf(old)), true)
    assert.deepEqual(await at.files.read('acme', 'hello.wav'), old)
  }
  assert.deepEqual(await readdir(join(at.path, 'acme')), ['.contents', 'hello.wav'])
  assert.equal(await at.files.pin('acme', 'nothing.wav'), null)
})

test('the daily round removes what no version refers to, and leaves what was pinned since', async () => {
  await using at = await folder()
  const [kept, lost] = [wav(100, 1), wav(60, 2)]
  for (const sound of [kept, lost]) {
    await at.files.keep('acme', 'hello.wav', sound)
    await at.files.pin('acme', 'hello.wav')
  }
  const referred = new Set([hashOf(kept)])
  assert.equal(await at.files.prune('acme', referred, 0), 0, 'both are younger')
  const later = (await stat(contentFile(at.path, 'acme', hashOf(lost)))).ctimeMs + 1_000
  assert.equal(await at.files.prune('acme', referred, later), 1)
  assert.equal(await at.files.restore('acme', 'again.wav', hashOf(lost)), false)
  assert.equal(await at.files.restore('acme', 'again.wav', hashOf(kept)), true)
  assert.deepEqual(await at.files.read('acme', 'hello.wav'), lost, 'what lies under a path stays')
  assert.equal(await at.files.prune('nobody', new Set(), later), 0)
})
