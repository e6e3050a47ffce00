import type { PlayItem } from '#media/engine.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

/** What became of a code about being called back. */
export type CallbackSaid = { kind: 'requested'; to: string } | { kind: 'nobody' | 'cancelled' }

type Words = Record<'nobody' | 'cancelled', string> & { requested: (to: string) => string }

const english: Words = {
  requested: (to) => `We will call you when ${to} is free.`,
  nobody: 'There is nobody to call back.',
  cancelled: 'You will not be called back.',
}
/** By language; any other hears English. */
const languages: ReadonlyMap<string, Words> = new Map([
  ['en', english],
  [
    'ru',
    {
      requested: (to) => `Мы перезвоним вам, когда ${to} освободится.`,
      nobody: 'Перезванивать некому.',
      cancelled: 'Обратный звонок отменён.',
    },
  ],
  [
    'pl',
    {
      requested: (to) => `Oddzwonimy, gdy ${to} będzie wolny.`,
      nobody: 'Nie ma do kogo oddzwonić.',
      cancelled: 'Oddzwanianie odwołane.',
    },
  ],
  ['zh', { requested: (to) => `${to} 空闲时我们将给您回电。`, nobody: '没有可回拨的通话。', cancelled: '已取消回拨。' }],
])

/** Tells people whether they will be called back. Without a voice they hear a tone. */
export class CallbackVoice {
  readonly #prompts: Pick<Prompts, 'spoken'>

  constructor(prompts: Pick<Prompts, 'spoken'>) {
    this.#prompts = prompts
  }

  async say(said: CallbackSaid, language: string): Promise<readonly PlayItem[]> {
    const words = languages.get(language.split('-')[0] ?? '')
    const known = words ?? english
    // Numbers are said digit by digit.
    const text = said.kind === 'requested' ? known.requested([...said.to].join(' ')) : known[said.kind]
    const file = await this.#prompts.spoken(text, words === undefined ? 'en' : language)
    return [file === null ? { kind: 'tone', tone: said.kind === 'nobody' ? 'congestion' : 'beep', ms: 1_000 } : { kind: 'file', file }]
  }
}
