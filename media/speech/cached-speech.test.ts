import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { readSound } from '#media/file/read-sound.ts'
import { writeWav } from '#media/file/write-wav.ts'
import { CachedSpeech, type CachedSpeechOptions } from '#media/speech/cached-speech.ts'
import type { ProgramEnd } from '#media/speech/run-program.ts'
import { runProgram } from '#media/speech/run-program.ts'
import { openSpeech, PROGRAMS } from '#media/speech/speech.ts'
import { SpeechError } from '#media/speech/speech-port.ts'

interface Spoken {
  program: string
  args: readonly string[]
  input: string
}

interface Scene {
  folder: string
  spoken: Spoken[]
  speech: CachedSpeech
}

/** A speech port whose programs are played: by default each writes a second of sound at 22.05 kHz where it is told to. */
async function withSpeech(
  play: (spoken: Spoken) => ProgramEnd | Promise<ProgramEnd>,
  scene: (scene: Scene) => Promise<void>,
  options: Partial<CachedSpeechOptions> = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-speech-'))
  const spoken: Spoken[] = []
  const run: typeof runProgram = async (program, args, { input }) => {
    const one = { program, args, input }
    spoken.push(one)
    const end = await play(one)
    if (end.kind === 'done') await writeFile(args.at(-1) ?? '', writeWav(new Int16Array(22_050).fill(1000), { rateHz: 22_050 }))
    return end
  }
  try {
    const speech = new CachedSpeech({ folder, log: silentLog, mostBytes: 1e9, programs: PROGRAMS, run, ...options })
    await scene({ folder, spoken, speech })
  } finally {
    await rm(folder, { recursive: true })
  }
}

const speaks = (): ProgramEnd => ({ kind: 'done' })

async function reasonOf(made: Promise<string>): Promise<string> {
  return made.then(
    () => 'none',
    (error: unknown) => {
      assert.ok(error instanceof SpeechError)
      return `${error.reason}: ${error.message}`
    },
  )
}

test('a text becomes a sound for the telephone, and the same text is not spoken twice', async () => {
  await withSpeech(speaks, async ({ speech, spoken, folder }) => {
    const [file, meanwhile] = await Promise.all([
      speech.synthesize('Labdien!', { language: 'lv' }),
      speech.synthesize('Labdien!', { language: 'lv' }),
    ])
    const again = await speech.synthesize('Labdien!', { language: 'lv' })
    assert.ok(file === meanwhile && file === again)
    assert.equal(spoken.length, 1)
    const sound = await readSound(file)
    assert.ok(sound.kind === 'sound' && sound.source.rateHz === 8000 && sound.ms === 1000)
    assert.notEqual(await speech.synthesize('Labdien!', { language: 'lv', voice: 'lv+f2' }), file)
    assert.equal((await readdir(folder)).length, 2)
  })
})

test('the text goes to standard input, never into an argument', async () => {
  await withSpeech(speaks, async ({ speech, spoken }) => {
    const text = '-w /etc/passwd; $(reboot) `id` \n--help'
    await speech.synthesize(text, { language: 'ru' })
    assert.equal(spoken[0]?.input, `${text}\n`)
    assert.ok(spoken[0]?.args.every((argument) => !text.includes(argument) || argument.length < 3))
  })
})

test('each language goes to the program and voice that have it', async () => {
  await withSpeech(speaks, async ({ speech, spoken }) => {
    for (const language of ['ru', 'en-GB', 'zh-Hans', 'zh-HK', 'pl-PL', 'pt-BR']) await speech.synthesize('1', { language })
    await speech.synthesize('1', { language: 'en', voice: 'rms' })
    await speech.synthesize('1', { language: 'en', voice: 'en+f3' })
    const used = spoken.map(({ program, args }) => `${program} ${args[1]}`)
    const expected = [
      'espeak-ng ru',
      'flite slt',
      'espeak-ng cmn',
      'espeak-ng yue',
      'espeak-ng pl',
      'espeak-ng pt-br',
      'flite rms',
      'espeak-ng en+f3',
    ]
    assert.deepEqual(used, expected)
  })
})

test('without flite English is spoken by espeak-ng; without both the error says what to install', async () => {
  const missing = new Set(['flite'])
  const play = ({ program }: Spoken): ProgramEnd => (missing.has(program) ? { kind: 'missing' } : { kind: 'done' })
  await withSpeech(play, async ({ speech, spoken }) => {
    await speech.synthesize('Hello', { language: 'en-US' })
    assert.deepEqual(
      spoken.map(({ program }) => program),
      ['flite', 'espeak-ng'],
    )
    missing.add('espeak-ng')
    const reason = await reasonOf(speech.synthesize('Goodbye', { language: 'en-US' }))
    assert.match(reason, /^no-program: .*flite \(apt-get install flite.* or espeak-ng \(apt-get install espeak-ng/)
  })
})

test('a program that fails or hangs gives a named error, leaves nothing behind, and may succeed next time', async () => {
  let end: ProgramEnd = { kind: 'failed', why: 'voice does not exist' }
  await withSpeech(
    () => end,
    async ({ speech, folder }) => {
      assert.equal(await reasonOf(speech.synthesize('x', { language: 'xx' })), 'failed: espeak-ng: voice does not exist')
      end = { kind: 'timeout' }
      assert.match(await reasonOf(speech.synthesize('x', { language: 'xx' })), /^timeout: espeak-ng did not finish within 30 s/)
      assert.deepEqual(await readdir(folder), [])
      end = { kind: 'done' }
      await speech.synthesize('x', { language: 'xx' })
    },
  )
})

test('what is no text, language or voice is refused before any program runs', async () => {
  await withSpeech(speaks, async ({ speech, spoken }) => {
    assert.match(await reasonOf(speech.synthesize(' ...', { language: 'en' })), /^bad-text: there is nothing/)
    assert.match(await reasonOf(speech.synthesize('a'.repeat(6000), { language: 'en' })), /^bad-text: the text has 6000/)
    assert.match(await reasonOf(speech.synthesize('a', { language: '-v' })), /^bad-voice/)
    assert.match(await reasonOf(speech.synthesize('a', { language: 'en', voice: '../../x' })), /^bad-voice/)
    assert.equal(spoken.length, 0)
  })
})

test('the cache is bounded: what was asked for longest ago goes first', async () => {
  let now = 1_000_000
  const second = 16_044
  await withSpeech(
    speaks,
    async ({ speech, spoken, folder }) => {
      for (const text of ['one', 'two', 'three', 'one']) {
        now += 60_000
        await speech.synthesize(text, { language: 'ru' })
      }
      now += 60_000
      // Files count as asked for when they were made, by the machine's clock; asking again says when by ours.
      for (const text of ['two', 'three', 'one']) await speech.synthesize(text, { language: 'ru' })
      await speech.synthesize('four', { language: 'ru' })
      assert.equal((await readdir(folder)).length, 3)
      await speech.synthesize('four', { language: 'ru' })
      assert.equal(spoken.length, 4)
    },
    { mostBytes: 3 * second, wall: () => now },
  )
})

test('no more than two programs run at once', async () => {
  let running = 0
  let most = 0
  let waiting: PromiseWithResolvers<void> | null = null
  const play = async (): Promise<ProgramEnd> => {
    most = Math.max(most, ++running)
    // Each waits for another: with only one at a time nobody would ever end.
    const first = waiting
    waiting = first === null ? Promise.withResolvers<void>() : null
    if (first === null) await waiting?.promise
    else first.resolve()
    await new Promise(setImmediate)
    running--
    return { kind: 'done' }
  }
  await withSpeech(play, async ({ speech, spoken }) => {
    await Promise.all(Array.from({ length: 8 }, (_, i) => speech.synthesize(`number ${i}`, { language: 'pl' })))
    assert.deepEqual([spoken.length, most], [8, 2])
  })
})

test('a program that is not there is told apart from one that fails', async () => {
  assert.deepEqual(await runProgram('centrala-no-such-program', [], { input: '', timeoutMs: 1000 }), { kind: 'missing' })
  const failed = await runProgram(process.execPath, ['-e', 'console.error("no voice"); process.exit(3)'], {
    input: 'unread',
    timeoutMs: 60_000,
  })
  assert.deepEqual(failed, { kind: 'failed', why: 'no voice' })
})

test('what this machine has speaks', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'centrala-speech-'))
  try {
    const speech = openSpeech({ folder, log: silentLog })
    for (const [language, text] of [
      ['en', 'Thank you for calling.'],
      ['ru', 'Здравствуйте.'],
      ['lv', 'Labdien!'],
      ['zh-Hans', '您好'],
    ] as const) {
      const sound = await readSound(await speech.synthesize(text, { language }))
      assert.ok(sound.kind === 'sound' && sound.ms > 300 && sound.pcm.some((sample) => Math.abs(sample) > 2000), language)
    }
  } catch (error) {
    if (!(error instanceof SpeechError && error.reason === 'no-program')) throw error
    context.skip(error.message)
  } finally {
    await rm(folder, { recursive: true })
  }
})
