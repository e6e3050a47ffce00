import type { Announcer, CallIdentity } from '#calls/needs.ts'
import type { PlayItem } from '#media/engine.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

export interface AnnouncerNeeds {
  /** The version a call keeps to its end. */
  book: (tenant: string, version: number) => CompiledConfig
  prompts: Pick<Prompts, 'spoken'>
}

interface Voice {
  confirm: (company: string, key: string) => string
  star: string
  hash: string
}

const english: Voice = {
  confirm: (company, key) => `A call for ${company}. Press ${key} to take this call.`,
  star: 'star',
  hash: 'hash',
}
/** By language; any other hears English. */
const voices: ReadonlyMap<string, Voice> = new Map([
  ['en', english],
  [
    'ru',
    {
      confirm: (company, key) => `Звонок для компании ${company}. Чтобы принять звонок, нажмите ${key}.`,
      star: 'звёздочку',
      hash: 'решётку',
    },
  ],
  ['pl', { confirm: (company, key) => `Połączenie dla ${company}. Aby odebrać, naciśnij ${key}.`, star: 'gwiazdkę', hash: 'krzyżyk' }],
  ['zh', { confirm: (company, key) => `${company} 的来电。请按 ${key} 接听。`, star: '星号键', hash: '井号键' }],
])

/** Speaks to people outside in the company's name and language. */
export class CompanyAnnouncer implements Announcer {
  #needs: AnnouncerNeeds

  constructor(needs: AnnouncerNeeds) {
    this.#needs = needs
  }

  async confirm(key: string, on: CallIdentity): Promise<readonly PlayItem[]> {
    const { language, name } = this.#needs.book(on.tenant, on.config).company
    const voice = voices.get(language.split('-')[0] ?? '')
    const { confirm, star, hash } = voice ?? english
    const words = confirm(name, key === '*' ? star : key === '#' ? hash : key)
    const file = await this.#needs.prompts.spoken(words, voice === undefined ? 'en' : language)
    return file === null ? [] : [{ kind: 'file', file }]
  }
}
