import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeardPart } from '#media/listen/listen.ts'
import { transcript } from '#tools/lib/heard.ts'

const book = { sounds: new Map(), texts: new Map([['welcome', 'Good day.']]) }
const ring = (fromMs: number): HeardPart => ({ kind: 'tone', frequencies: [425], levelDbm0: -12, fromMs, toMs: fromMs + 1_000 })
const silence = (fromMs: number, ms: number): HeardPart => ({ kind: 'silence', fromMs, toMs: fromMs + ms })

test('prompts are told with their words, keys and silence by name, in the time of the call', () => {
  const parts: HeardPart[] = [
    { kind: 'prompt', prompt: 'welcome', sureness: 0.984, fromMs: 0, toMs: 2_000 },
    { kind: 'digit', digit: '5', fromMs: 2_100, toMs: 2_200 },
    silence(2_200, 800),
  ]
  assert.deepEqual(transcript(parts, book, 58_000), [
    '0:58.0 to 1:00.0  "welcome" (98 % sure): Good day.',
    '1:00.1 to 1:00.2  key 5',
    '1:00.2 to 1:01.0  silence',
  ])
})

test('bursts of one tone and the pauses between them are one line, named as the country’s tone', () => {
  const lines = transcript(
    [ring(0), silence(1_000, 4_000), ring(5_000), silence(6_000, 4_000), ring(10_000), silence(11_000, 500)],
    book,
    0,
  )
  assert.deepEqual(lines, ['0:00.0 to 0:11.0  ringing tone, 3 times', '0:11.0 to 0:11.5  silence'])
})
