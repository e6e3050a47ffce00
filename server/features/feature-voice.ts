import type { PlayItem } from '#media/engine.ts'
import { type Phrases, phrasesIn } from '#server/prompts/phrases.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

/** Why a code did nothing. */
export type FeatureTrouble = 'nothing-rings' | 'nobody-waits' | 'no-other-call' | 'park-by-transfer'

const phrases: Phrases<Readonly<Record<FeatureTrouble, string>>> = {
  en: {
    'nothing-rings': 'Nothing rings there.',
    'nobody-waits': 'Nobody waits there.',
    'no-other-call': 'You have no call on another phone.',
    'park-by-transfer': 'To park a call, transfer it here.',
  },
  others: new Map([
    [
      'ru',
      {
        'nothing-rings': 'Там никто не звонит.',
        'nobody-waits': 'Там никто не ждёт.',
        'no-other-call': 'На другом телефоне у вас нет разговора.',
        'park-by-transfer': 'Чтобы припарковать звонок, переведите его сюда.',
      },
    ],
    [
      'pl',
      {
        'nothing-rings': 'Nic tam nie dzwoni.',
        'nobody-waits': 'Nikt tam nie czeka.',
        'no-other-call': 'Nie masz rozmowy na innym telefonie.',
        'park-by-transfer': 'Aby zaparkować połączenie, przekaż je tutaj.',
      },
    ],
    [
      'zh',
      {
        'nothing-rings': '那里没有来电。',
        'nobody-waits': '那里没有等待的通话。',
        'no-other-call': '您的其他话机上没有通话。',
        'park-by-transfer': '要驻留通话，请将其转接到此处。',
      },
    ],
  ]),
}

/** Tells people who dialled a code why nothing came of it. Without a voice they hear the tone of congestion. */
export class FeatureVoice {
  readonly #prompts: Pick<Prompts, 'spoken'>

  constructor(prompts: Pick<Prompts, 'spoken'>) {
    this.#prompts = prompts
  }

  async say(trouble: FeatureTrouble, language: string): Promise<readonly PlayItem[]> {
    const said = phrasesIn(phrases, language)
    const file = await this.#prompts.spoken(said.phrases[trouble], said.language)
    return [file === null ? { kind: 'tone', tone: 'congestion', ms: 1_000 } : { kind: 'file', file }]
  }
}
