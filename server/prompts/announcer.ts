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
  /** `slot`: its keys, apart. */
  parked: (slot: string) => string
  lastMinute: string
  star: string
  hash: string
}

const english: Voice = {
  confirm: (company, key) => `A call for ${company}. Press ${key} to take this call.`,
  parked: (slot) => `Parked at ${slot}.`,
  lastMinute: 'This call ends in one minute: what may be spent today is spent.',
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
      parked: (slot) => `Парковка ${slot}.`,
      lastMinute: 'Этот звонок закончится через минуту: лимит расходов на сегодня исчерпан.',
      star: 'звёздочку',
      hash: 'решётку',
    },
  ],
  [
    'pl',
    {
      confirm: (company, key) => `Połączenie dla ${company}. Aby odebrać, naciśnij ${key}.`,
      parked: (slot) => `Zaparkowano: ${slot}.`,
      lastMinute: 'To połączenie zakończy się za minutę: dzisiejszy limit wydatków jest wyczerpany.',
      star: 'gwiazdkę',
      hash: 'krzyżyk',
    },
  ],
  [
    'zh',
    {
      confirm: (company, key) => `${company} 的来电。请按 ${key} 接听。`,
      parked: (slot) => `已驻留：${slot}。`,
      lastMinute: '本次通话将在一分钟后结束：今日费用额度已用完。',
      star: '星号键',
      hash: '井号键',
    },
  ],
])

/** Speaks to people outside in the company's name and language. */
export class CompanyAnnouncer implements Announcer {
  #needs: AnnouncerNeeds

  constructor(needs: AnnouncerNeeds) {
    this.#needs = needs
  }

  async confirm(key: string, on: CallIdentity): Promise<readonly PlayItem[]> {
    const { language, name } = this.#needs.book(on.tenant, on.config).company
    return this.#say(language, (voice) => voice.confirm(name, said(key, voice)))
  }

  lastMinute(on: CallIdentity): Promise<readonly PlayItem[]> {
    return this.#say(this.#needs.book(on.tenant, on.config).company.language, (voice) => voice.lastMinute)
  }

  /** Tells who has parked a call in the first free slot which one that is, key by key. Empty: there is no voice to say it. */
  parked(slot: string, config: CompiledConfig): Promise<readonly PlayItem[]> {
    return this.#say(config.company.language, (voice) => voice.parked([...slot].map((key) => said(key, voice)).join(' ')))
  }

  async #say(language: string, words: (voice: Voice) => string): Promise<readonly PlayItem[]> {
    const voice = voices.get(language.split('-')[0] ?? '')
    const file = await this.#needs.prompts.spoken(words(voice ?? english), voice === undefined ? 'en' : language)
    return file === null ? [] : [{ kind: 'file', file }]
  }
}

function said(key: string, { star, hash }: Voice): string {
  return key === '*' ? star : key === '#' ? hash : key
}
