import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#server/config/compile.ts'
import { changed } from '#server/config/testing.ts'
import { CompanyAnnouncer } from '#server/prompts/announcer.ts'

const on = {
  ...{ tenant: 'acme', call: 'c', config: 1, from: { number: '1' } },
  asker: { kind: 'trunk', id: 't', number: '1' },
} as const

function asked(language: string) {
  const said: string[] = []
  const spoken = (text: string, voice: string) => {
    said.push(`${voice}: ${text}`)
    return Promise.resolve(voice === 'zh' ? null : 'spoken.wav')
  }
  const config = compile(changed({ 'company acme': { language } }))
  return { said, announcer: new CompanyAnnouncer({ book: () => config, prompts: { spoken } }) }
}

test('whoever picks up is asked in the company’s language, with the key named as people say it', async () => {
  const { said, announcer } = asked('pl')
  assert.deepEqual(await announcer.confirm('#', on), [{ kind: 'file', file: 'spoken.wav' }])
  assert.deepEqual(said, ['pl: Połączenie dla Acme. Aby odebrać, naciśnij krzyżyk.'])
})

test('a language without words of ours hears English in an English voice, and without a voice nothing is said', async () => {
  const { said, announcer } = asked('lv')
  await announcer.confirm('1', on)
  assert.deepEqual(said, ['en: A call for Acme. Press 1 to take this call.'])
  assert.deepEqual(await asked('zh').announcer.confirm('1', on), [])
})

test('a phone whose call ends for want of money is told so in the company’s language', async () => {
  const { said, announcer } = asked('en')
  assert.deepEqual(await announcer.lastMinute(on), [{ kind: 'file', file: 'spoken.wav' }])
  assert.deepEqual(said, ['en: This call ends in one minute: what may be spent today is spent.'])
})
