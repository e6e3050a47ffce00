import type { PlayItem } from '#media/engine.ts'
import { phrasesIn } from '#server/prompts/phrases.ts'
import type { Prompts } from '#server/prompts/prompts.ts'

/** What somebody hears who logs in at a phone, or out, or who would have to. `closed`: no PIN is taken any more today. */
export type DeskWords =
  | 'extension'
  | 'pin'
  | 'wrong'
  | 'closed'
  | 'logged-out'
  | 'nobody'
  | 'not-shared'
  | 'log-in-first'
  | { loggedIn: string }

type Sentences = Readonly<Record<Extract<DeskWords, string>, string>> & { readonly loggedIn: (extension: string) => string }

const english: Sentences = {
  extension: 'Please enter your extension, then press hash.',
  pin: 'Please enter your PIN, then press hash.',
  wrong: 'That is not right. Please try again.',
  closed: 'You cannot log in here now. Goodbye.',
  'logged-out': 'You are logged out.',
  nobody: 'Nobody is logged in at this phone.',
  'not-shared': 'Nobody can log in at this phone.',
  'log-in-first': 'Please log in at this phone first.',
  loggedIn: (extension) => `You are logged in as ${extension}.`,
}
const others: ReadonlyMap<string, Sentences> = new Map([
  [
    'ru',
    {
      extension: 'Введите ваш внутренний номер и нажмите решётку.',
      pin: 'Введите ваш код и нажмите решётку.',
      wrong: 'Неверно. Попробуйте ещё раз.',
      closed: 'Сейчас войти здесь нельзя. До свидания.',
      'logged-out': 'Вы вышли.',
      nobody: 'За этим телефоном никто не работает.',
      'not-shared': 'На этом телефоне войти нельзя.',
      'log-in-first': 'Сначала войдите на этом телефоне.',
      loggedIn: (extension) => `Вы вошли под номером ${extension}.`,
    },
  ],
  [
    'pl',
    {
      extension: 'Podaj swój numer wewnętrzny i naciśnij krzyżyk.',
      pin: 'Podaj swój kod i naciśnij krzyżyk.',
      wrong: 'Dane są błędne. Spróbuj ponownie.',
      closed: 'Teraz nie można się tu zalogować. Do widzenia.',
      'logged-out': 'Wylogowano.',
      nobody: 'Nikt nie jest zalogowany na tym telefonie.',
      'not-shared': 'Na tym telefonie nie można się zalogować.',
      'log-in-first': 'Najpierw zaloguj się na tym telefonie.',
      loggedIn: (extension) => `Zalogowano jako ${extension}.`,
    },
  ],
  [
    'zh',
    {
      extension: '请输入您的分机号，然后按井号键。',
      pin: '请输入您的密码，然后按井号键。',
      wrong: '输入不正确，请再试一次。',
      closed: '目前无法在此登录。再见。',
      'logged-out': '您已退出登录。',
      nobody: '此话机没有人登录。',
      'not-shared': '此话机不能登录。',
      'log-in-first': '请先在此话机上登录。',
      loggedIn: (extension) => `您已登录，分机号 ${extension}。`,
    },
  ],
])

/** Where there is no voice: a beep asks and confirms, the tone of congestion refuses. */
const beeps: ReadonlySet<unknown> = new Set(['extension', 'pin', 'logged-out'])

/** Speaks to people at shared phones, in the company's language. */
export class DeskVoice {
  readonly #prompts: Pick<Prompts, 'spoken'>

  constructor(prompts: Pick<Prompts, 'spoken'>) {
    this.#prompts = prompts
  }

  async say(words: DeskWords, language: string): Promise<readonly PlayItem[]> {
    const { phrases: sentences, language: spokenIn } = phrasesIn({ en: english, others }, language)
    // Numbers are said digit by digit.
    const text = typeof words === 'string' ? sentences[words] : sentences.loggedIn([...words.loggedIn].join(' '))
    const file = await this.#prompts.spoken(text, spokenIn)
    if (file !== null) return [{ kind: 'file', file }]
    return [{ kind: 'tone', tone: typeof words === 'object' || beeps.has(words) ? 'beep' : 'congestion', ms: 500 }]
  }
}
