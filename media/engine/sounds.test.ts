import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clip } from '#media/engine/clip.ts'
import { type SoundFault, type SoundReader, Sounds } from '#media/engine/sounds.ts'

/** A reader over files in memory. */
function reader(files: Record<string, { bytes: number; stamp: string }>): SoundReader & { reads: string[] } {
  const reads: string[] = []
  return {
    reads,
    async read(file, codec) {
      reads.push(`${codec} ${file}`)
      const found = files[file]
      return found === undefined
        ? { kind: 'fault', cause: `${file}: no such file` }
        : { octets: Buffer.alloc(found.bytes), stamp: found.stamp }
    },
    stampOf: async (file) => files[file]?.stamp ?? null,
  }
}

async function clipsOf(sounds: Sounds, file: string, codec: 'PCMA' | 'PCMU' = 'PCMA'): Promise<readonly Clip[]> {
  const clips = await sounds.clips([{ kind: 'file', file }], codec)
  assert.ok(!('kind' in clips))
  return clips
}

test('a file is read once per codec, by many at the same time too, and everybody gets the same octets', async () => {
  const files = reader({ a: { bytes: 80, stamp: '1' } })
  const sounds = new Sounds(files, 'eu')
  const all = await Promise.all([clipsOf(sounds, 'a'), clipsOf(sounds, 'a'), clipsOf(sounds, 'a', 'PCMU')])
  await clipsOf(sounds, 'a')
  assert.deepEqual(files.reads, ['PCMA a', 'PCMU a'])
  assert.equal(all[0]?.[0]?.octets, all[1]?.[0]?.octets)
  assert.equal(sounds.bytes, 160)
})

test('a file that was replaced is read again', async () => {
  const content = { a: { bytes: 80, stamp: '1' } }
  const sounds = new Sounds(reader(content), 'eu')
  await clipsOf(sounds, 'a')
  content.a = { bytes: 40, stamp: '2' }
  assert.equal((await clipsOf(sounds, 'a'))[0]?.length, 40)
  assert.equal(sounds.bytes, 40)
})

test('the least recently used are forgotten when there are too many bytes', async () => {
  const files = reader({ a: { bytes: 100, stamp: '1' }, b: { bytes: 100, stamp: '1' }, c: { bytes: 100, stamp: '1' } })
  const sounds = new Sounds(files, 'eu', 250)
  for (const file of ['a', 'b', 'a', 'c', 'a', 'b']) await clipsOf(sounds, file)
  assert.deepEqual(files.reads, ['PCMA a', 'PCMA b', 'PCMA c', 'PCMA b'])
  assert.ok(sounds.bytes <= 250)
})

test('a missing file is a fault with its cause, and is looked for again', async () => {
  const content: Record<string, { bytes: number; stamp: string }> = {}
  const sounds = new Sounds(reader(content), 'eu')
  const fault = (await sounds.clips(
    [
      { kind: 'silence', ms: 5 },
      { kind: 'file', file: 'x' },
    ],
    'PCMA',
  )) as SoundFault
  assert.equal(fault.cause, 'x: no such file')
  content['x'] = { bytes: 8, stamp: '1' }
  assert.equal((await clipsOf(sounds, 'x'))[0]?.length, 8)
})

test('a play may ask for the tones of another country', () => {
  const sounds = new Sounds(reader({}), 'eu')
  const clips = sounds.clips(
    [
      { kind: 'tone', tone: 'ringback' },
      { kind: 'tone', tone: 'ringback', plan: 'ru' },
      { kind: 'tone', tone: 'ringback', plan: 'eu' },
    ],
    'PCMA',
  )
  assert.ok(Array.isArray(clips))
  assert.deepEqual(
    clips.map(({ octets }) => octets.length / 8),
    [5000, 4000, 5000],
  )
  assert.equal(clips[0]?.octets, clips[2]?.octets)
})

test('tones and silence need no promise: endless without a length, shared', () => {
  const sounds = new Sounds(reader({}), 'uk')
  const clips = sounds.clips(
    [
      { kind: 'tone', tone: 'ringback' },
      { kind: 'silence', ms: 10 },
      { kind: 'tone', tone: 'ringback', ms: 100 },
    ],
    'PCMU',
  )
  assert.ok(Array.isArray(clips))
  assert.deepEqual(
    clips.map(({ length }) => length),
    [Number.POSITIVE_INFINITY, 80, 800],
  )
  assert.equal(clips[0]?.octets, clips[2]?.octets)
})
