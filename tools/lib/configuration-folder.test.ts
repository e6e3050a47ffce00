import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeWav } from '#media/file/write-wav.ts'
import { problemText, readFolder, writeFolder } from '#tools/lib/configuration-folder.ts'
import { Trouble } from '#tools/lib/trouble.ts'

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'centrala-folder-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

const prompt = (id: string, file: string): string => `kind: prompt\nid: ${id}\nfile: ${file}\n`

test('what is written is read back: documents below the folder, and the sounds they name that are here, measured', async () => {
  await using at = await folder()
  const sound = writeWav(new Int16Array(4_000).fill(900))
  await writeFolder(at.path, [
    { name: 'b.yaml', content: prompt('here', 'prompts/here.wav') },
    { name: 'more/a.yml', content: prompt('away', 'prompts/away.wav') },
    { name: '.git/c.yaml', content: 'nonsense: [' },
    { name: 'notes.txt', content: 'not ours' },
    { name: 'prompts/here.wav', content: sound },
  ])
  const read = await readFolder(at.path)
  assert.deepEqual(
    read.files.map(({ name }) => name),
    ['b.yaml', join('more', 'a.yml')],
  )
  const sha256 = createHash('sha256').update(sound).digest('hex')
  assert.deepEqual(read.sounds, [{ file: 'prompts/here.wav', ms: 500, sha256 }])
  assert.equal(await readFile(join(at.path, 'notes.txt'), 'utf8'), 'not ours')
})

test('a folder that is none, is empty, or has a sound that cannot be played is told as what it is', async () => {
  await using at = await folder()
  const says = (pattern: RegExp) => (fault: unknown) => fault instanceof Trouble && pattern.test(fault.message)
  await assert.rejects(readFolder(join(at.path, 'none')), says(/there is no such folder/))
  await assert.rejects(readFolder(at.path), says(/expected \.yaml files, found none/))
  await writeFolder(at.path, [
    { name: 'a.yaml', content: prompt('bad', 'bad.wav') },
    { name: 'bad.wav', content: 'RIFF, or so it says' },
  ])
  await assert.rejects(readFolder(at.path), says(/bad\.wav: byte \d+: expected /))
})

test('a problem is told with its place, as editors understand it', () => {
  const problem = { severity: 'error', rule: 'r', message: 'there is no person nobody' } as const
  assert.equal(problemText({ ...problem, file: 'a.yaml', line: 3, column: 9 }), 'a.yaml:3:9: there is no person nobody')
  assert.equal(
    problemText({ ...problem, kind: 'device', id: 'desk', pointer: '/person' }),
    'device desk /person: there is no person nobody',
  )
  assert.equal(problemText({ ...problem, severity: 'warning', expected: 'anna' }), 'warning: there is no person nobody (expected anna)')
  assert.equal(problemText({ ...problem, expected: 'nobody' }), 'there is no person nobody')
})
