import type { CallIdentity } from '#calls/needs.ts'
import type { PlayItem } from '#media/engine.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

/** What somebody hears who wants to come into a conference. `closed`: no PIN is taken any more today. */
export type ConferenceWords = 'pin' | 'wrong-pin' | 'closed' | 'full' | 'locked'

export interface ConferenceVoiceNeeds {
  /** The version a call keeps to its end. */
  book: (tenant: string, version: number) => CompiledConfig
  prompts: Pick<Prompts, 'spoken'>
}

type Sentences = Readonly<Record<ConferenceWords, string>>

const english: Sentences = {
  pin: 'Please enter the PIN of the conference, then press hash.',
  'wrong-pin': 'That PIN is not right. Please try again.',
  closed: 'This conference cannot be joined now. Goodbye.',
  full: 'This conference is full. Goodbye.',
  locked: 'This conference is locked. Goodbye.',
}
/** By language; any other hears English. */
const sentences: ReadonlyMap<string, Sentences> = new Map([
  ['en', english],
  [
    'ru',
    {
      pin: 'Введите код конференции и нажмите решётку.',
      'wrong-pin': 'Код неверный. Попробуйте ещё раз.',
      closed: 'Сейчас войти в конференцию нельзя. До свидания.',
      full: 'В конференции нет мест. До свидания.',
      locked: 'Конференция закрыта. До свидания.',
    },
  ],
  [
    'pl',
    {
      pin: 'Podaj kod konferencji i naciśnij krzyżyk.',
      'wrong-pin': 'Kod jest błędny. Spróbuj ponownie.',
      closed: 'Teraz nie można dołączyć do konferencji. Do widzenia.',
      full: 'W konferencji nie ma miejsc. Do widzenia.',
      locked: 'Konferencja jest zamknięta. Do widzenia.',
    },
  ],
  [
    'zh',
    {
      pin: '请输入会议密码，然后按井号键。',
      'wrong-pin': '密码不正确，请再试一次。',
      closed: '目前无法加入会议。再见。',
      full: '会议人数已满。再见。',
      locked: '会议已锁定。再见。',
    },
  ],
])

/** A beep asks where there is no voice to ask with. */
const beep: readonly PlayItem[] = [{ kind: 'tone', tone: 'beep', ms: 300 }]

/** Speaks at the door of conferences, in the company's language. */
export class ConferenceVoice {
  readonly #needs: ConferenceVoiceNeeds

  constructor(needs: ConferenceVoiceNeeds) {
    this.#needs = needs
  }

  async say(words: ConferenceWords, on: CallIdentity): Promise<readonly PlayItem[]> {
    const { language } = this.#needs.book(on.tenant, on.config).company
    const known = sentences.get(language.split('-')[0] ?? '')
    const file = await this.#needs.prompts.spoken((known ?? english)[words], known === undefined ? 'en' : language)
    return file === null ? beep : [{ kind: 'file', file }]
  }
}
